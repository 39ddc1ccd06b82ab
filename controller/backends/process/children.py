"""Server processes: start, recognise and end them.

Note [Whose process]
~~~~~~~~~~~~~~~~~~~~
A process is a node's own if its command line is that of a server which was given the
node's ``server.conf``, a path that no other node has. The number of a process alone
proves nothing, because the system gives it to another one later; nor does the time
of its start, which seems to move when the clock is set. A recorded number only saves
a search through all processes. The first words of the command line are not compared,
because what is found on PATH may be a script that hands over to the real server.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import psutil
import tenacity

from controller.errors import TerminalError, TransientError

SERVERS = ("valkey-server", "redis-server")  # the first that is found is taken
KILL_SECONDS = 5.0
END_SECONDS = 0.005  # between two looks whether a process has ended
DYING_SECONDS = 0.5  # a dying process has no command line left, but still its port


class Children:
    """Server processes, be they children of this process or of one before it."""

    def __init__(self) -> None:
        self._own: dict[int, subprocess.Popen[bytes]] = {}

    def spawn(self, binary: Path, conf: Path, log: Path) -> int:
        """Start a server, apart from the terminal; gives the number of its process."""
        with log.open("ab") as output:
            try:
                child = subprocess.Popen(  # noqa: S603 (no shell, and paths of our own)
                    [binary, conf],
                    env={},  # the emulator's may hold secrets, the server needs none
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # so that Ctrl-C does not reach it
                    umask=0o077,  # for the aclfile, when the server saves it
                )
            except (FileNotFoundError, PermissionError) as error:
                raise TerminalError(
                    "ServerNotExecutable",
                    f"cannot run {binary}: {error.strerror}. Install "
                    f"{' or '.join(SERVERS)} and restart the emulator",
                ) from error
        self._own[child.pid] = child
        return child.pid

    def find(self, pid: int | None, conf: Path) -> psutil.Process | None:
        """Find the server that was given ``conf``; see Note [Whose process].

        ``pid`` is the recorded number, ``None`` to search all processes. A server is
        there until it has let go of its port, which takes a moment when it is killed.
        """
        if pid is None:
            return _search(conf)
        if self.gone(pid):
            self._own.pop(pid, None)
            return None
        if pid in self._own:  # nobody else has the number before it is reaped
            return psutil.Process(pid)
        return _recognise(pid, conf)

    def gone(self, pid: int) -> bool:
        """Tell, at the cost of one system call, whether a server has ended."""
        child = self._own.get(pid)
        if child is not None:
            return child.poll() is not None
        try:
            os.kill(pid, 0)
        except OSError:
            return True
        return False

    def kill(self, server: psutil.Process) -> None:
        """End a server and what it forked; returns when it is gone."""
        family = [server]
        with contextlib.suppress(psutil.NoSuchProcess):
            family += server.children(recursive=True)
        for each in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        for each in family:
            if not _await_end(each, KILL_SECONDS):
                raise TransientError(f"process {each.pid} was killed, and still runs")
        if self.gone(server.pid):
            self._own.pop(server.pid, None)


def _search(conf: Path) -> psutil.Process | None:
    for process in psutil.process_iter(["cmdline"]):
        if _serves(process.info["cmdline"] or [], conf):
            return process
    return None


def _recognise(pid: int, conf: Path) -> psutil.Process | None:
    try:
        process = psutil.Process(pid)
        try:
            command = process.cmdline()
        except psutil.ZombieProcess:
            command = []
        if command:
            return process if _serves(command, conf) else None
    except psutil.Error:  # gone, or somebody else's
        return None
    _await_end(process, DYING_SECONDS)
    return None


def _await_end(process: psutil.Process, seconds: float) -> bool:
    """Wait until nothing of a process is left but its number, if that."""
    again = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda ended: not ended),
        wait=tenacity.wait_fixed(END_SECONDS),
        stop=tenacity.stop_after_delay(seconds),
        retry_error_callback=lambda _: False,
    )
    return again(_ended, process)


def _ended(process: psutil.Process) -> bool:
    """Tell whether all threads are gone; whoever is the parent may reap it later."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE and process.num_threads() == 1
    except psutil.NoSuchProcess:
        return True


def _serves(command: list[str], conf: Path) -> bool:
    """Tell whether a command line is that of a server with this file."""
    *program, last = command or [""]
    return last == str(conf) and any(Path(word).name in SERVERS for word in program)

"""The command line: settings → state → backend → loop and API → server, and back."""

from __future__ import annotations

import argparse
import contextlib
import ipaddress
import resource
import signal
import socket
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from types import FrameType

import structlog

from api.certificate import OwnCertificate, given, own_names
from api.emulator import DISTRIBUTION, Emulator, assemble
from api.engine import NoEngineError, choose
from api.front.limits import Limits
from api.front.server import HttpServer
from api.listen import CannotListenError, listen
from controller import logs, settings, statedir
from controller.journal import NOWHERE, Journal, sqlite_journal
from controller.pki import load_or_create_authority
from controller.settings import Settings

DRAIN_SECONDS = 1.5  # for answers under way, at the end
END_SECONDS = 1.0  # for imports and exports, before it
STOP_SECONDS = 5.0  # for the loop's end; with Python's own it stays below 8 s
MOST_FILES = 65_536

log = structlog.get_logger(__name__)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until a signal says stop; gives the exit status."""
    parser = argparse.ArgumentParser(
        DISTRIBUTION,
        description="A local stand-in for Azure Cache for Redis.",
        epilog="Everything is set by FLOCI_AZ_* variables or application.yml; see "
        "README.md.",
    )
    parser.add_argument("--version", action="version", version=version(DISTRIBUTION))
    parser.parse_args(arguments)
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, _interrupt)
    try:
        return _run(settings.load())
    except settings.SettingsError as error:
        _complain(*error.mistakes)
        return 2
    except (CannotListenError, NoEngineError, statedir.StateError) as error:
        _complain(str(error))
        return 1
    except KeyboardInterrupt:
        return 0


def _run(chosen: Settings) -> int:
    human = sys.stdout.isatty()
    log_format = chosen.log_format or ("console" if human else "json")
    logs.configure(log_format, chosen.log_level, sys.stdout)
    _allow_many_files()
    with contextlib.ExitStack() as undo:
        listener = undo.enter_context(listen(chosen.host, chosen.port))
        instance = undo.enter_context(statedir.claimed(chosen.state_directory))
        names = own_names(chosen)
        authority = load_or_create_authority(
            chosen.state_directory, names, datetime.now(UTC)
        )
        own = OwnCertificate(authority, names)
        journal = undo.enter_context(_journal(chosen))
        engine = choose(chosen, instance, authority)
        emulator = assemble(chosen, engine, authority, journal)
        _announce(chosen, emulator, human=human)
        if chosen.enabled:
            emulator.loop.start()
            undo.callback(emulator.loop.stop, STOP_SECONDS)
            undo.callback(emulator.transfers.close, END_SECONDS)
        server = _serve(chosen, emulator, own, listener)
        undo.callback(server.drain, DRAIN_SECONDS)
        server.wait()
        log.critical("server.died")  # its own words are above; `_interrupt` skips this
        return 1


def _journal(chosen: Settings) -> contextlib.AbstractContextManager[Journal]:
    if chosen.storage_mode == "persistent":
        return sqlite_journal(chosen.state_directory)
    return contextlib.nullcontext(NOWHERE)


def _serve(
    chosen: Settings, emulator: Emulator, own: OwnCertificate, listener: socket.socket
) -> HttpServer:
    """Serve with the certificate that the settings name, or with our own."""
    if chosen.tls_certificate is not None and chosen.tls_key is not None:
        context = given(chosen.tls_certificate, chosen.tls_key)
        server = HttpServer(emulator.app, listener, context, Limits())
    else:
        server = HttpServer(emulator.app, listener, own.context(), Limits())
        keep = (server.reload_certificate,)
        threading.Thread(target=own.renew, args=keep, name="renew", daemon=True).start()
    server.start()
    return server


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Begin to stop; a second signal ends the process at once."""
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, signal.SIG_DFL)
    raise KeyboardInterrupt


def _complain(*reasons: str) -> None:
    sys.stderr.write("\n  ".join((f"{DISTRIBUTION} cannot start:", *reasons)) + "\n")


def _allow_many_files() -> None:
    """Have a file for every connection, and let servers have theirs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _announce(chosen: Settings, emulator: Emulator, *, human: bool) -> None:
    if human:
        rows = (f"{name:>16}  {it}\n" for name, it in emulator.described.items())
        sys.stdout.write(f"{DISTRIBUTION}\n{''.join(rows)}")
        sys.stdout.flush()
    else:
        log.info("emulator.started", **emulator.described)
    if not _is_loopback(chosen.host):
        log.warning(
            "emulator.exposed",
            host=chosen.host,
            risk="whoever reaches this address can run servers on this machine",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    sys.exit(main())

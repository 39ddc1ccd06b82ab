"""Takes the steps of a battery with redis-cli or valkey-cli: the arguments are which.

They call the program, such as ``docker exec -i container valkey-cli``.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from functools import partial

from tests.e2e.drivers.battery import (
    ALL_BYTES,
    COMMANDS,
    LATE_SECONDS,
    SCRIPT,
    Target,
    logins,
    take,
    user,
)


class FailedError(Exception):
    """What the program says is that it failed."""


@dataclass(frozen=True, slots=True)
class Cli:
    """The program and its options for one way to log in."""

    command: tuple[str, ...]

    def run(self, *arguments: str, given: bytes | str = b"") -> bytes:
        """Carry out one command, or what is given; raises `FailedError`."""
        done = subprocess.run(
            [*self.command, *arguments],
            input=given.encode() if isinstance(given, str) else given,
            capture_output=True,
            check=False,
            timeout=LATE_SECONDS,
        )
        if done.returncode or done.stderr:
            raise FailedError((done.stderr + done.stdout).decode().strip())
        return done.stdout.removesuffix(b"\n")

    def say(self, *arguments: str) -> str:
        """Carry out one command, and read what it prints as text."""
        return self.run(*arguments).decode()


def main(program: tuple[str, ...]) -> None:
    """Take all steps over both transports."""
    for transport in ("tls", "plain"):
        for way, target in logins(transport):
            take(f"{transport}-{way}", partial(login, program, target))
        client = Cli(program + options(user(transport)))
        for step in STEPS:
            key = f"{program[-1]}:{transport}:{step.__name__}"
            take(f"{transport}-{step.__name__}", partial(step, client, key))


def options(target: Target) -> tuple[str, ...]:
    """Spell a login as options; errors set the exit status."""
    found = ["-e", "-h", target.host, "-p", str(target.port), "--no-auth-warning"]
    if target.tls:
        found += ["--tls", *(["--cacert", target.ca] if target.ca else [])]
    if target.username:
        found += ["--user", target.username]
    return (*found, "-a", str(target.password))


def login(program: tuple[str, ...], target: Target) -> object:
    """Connect and say something."""
    return Cli(program + options(target)).say("PING")


def binary(client: Cli, key: str) -> object:
    """Store every byte there is; the key is an argument, and so without them."""
    client.run("-x", "SET", key, given=ALL_BYTES)
    return client.run("GET", key).hex()


def expiry(client: Cli, key: str) -> object:
    """Let a key end in 100 seconds."""
    client.run("SET", key, "value", "EX", "100")
    return int(client.say("TTL", key))


def transaction(client: Cli, key: str) -> object:
    """Count to two in a transaction that watches the counter."""
    client.run("DEL", key)
    lines = f"WATCH {key}\nMULTI\nINCR {key}\nINCR {key}\nEXEC\n"
    *_, one, two = client.run(given=lines).split()
    return [int(one), int(two)]


def watch(client: Cli, key: str) -> object:
    """Change what a transaction watches; an empty line is the answer ``nil``."""
    lines = f"WATCH {key}\nINCR {key}\nMULTI\nINCR {key}\nEXEC\n"
    _, _, answer = client.run(given=lines).rpartition(b"QUEUED\n")
    return answer or None


def script(client: Cli, key: str) -> object:
    """Have a script count its keys and give its argument."""
    count, argument = client.say("EVAL", SCRIPT, "1", key, "argument").split()
    return [int(count), argument]


def stream(client: Cli, key: str) -> object:
    """Add an entry, read it in a group, and acknowledge it."""
    client.run("DEL", key)
    client.run("XGROUP", "CREATE", key, "group", "0", "MKSTREAM")
    client.run("XADD", key, "*", "field", "value")
    read = client.say("XREADGROUP", "GROUP", "group", "me", "STREAMS", key, ">")
    _, number, field, value = read.split()
    return [{field: value}, int(client.say("XACK", key, "group", number))]


def pubsub(client: Cli, key: str) -> object:
    """Publish a message and receive it: three lines, as those that it is subscribed."""
    with subprocess.Popen(
        [*client.command, "SUBSCRIBE", key], stdout=subprocess.PIPE, text=True
    ) as listener:
        assert listener.stdout is not None
        try:
            for _ in range(3):
                listener.stdout.readline()
            client.run("PUBLISH", key, "message")
            return [listener.stdout.readline().strip() for _ in range(3)][2]
        finally:
            listener.kill()


def pipeline(client: Cli, key: str) -> object:
    """Count in one pipeline; gives the last count and what the program counted."""
    client.run("DEL", key)
    said = client.run("--pipe", given=f"INCR {key}\r\n" * COMMANDS).decode()
    errors, replies = re.findall(r"(?:errors|replies): (\d+)", said)
    return {
        "count": int(client.say("GET", key)),
        "errors": int(errors),
        "replies": int(replies),
    }


def config(client: Cli, _key: str) -> object:
    """Ask for what Azure does not tell."""
    return client.say("CONFIG", "GET", "maxmemory")


STEPS = (
    binary,
    expiry,
    transaction,
    watch,
    script,
    stream,
    pubsub,
    pipeline,
    config,
)

if __name__ == "__main__":
    main(tuple(sys.argv[1:]))

"""Azure's SDKs, called alike: by the names of the Python one, whichever it is.

An SDK is called with an operation group, an operation and its arguments, and gives what
the operation returned once it was over: dictionaries, without members that are null.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.e2e import clients
from tests.e2e.driver import SCRIPTS, Driver, driving
from tests.emulator import Emulator

Sdk = Callable[..., Any]
Operations = frozenset[tuple[str, str]]  # group and method


@contextlib.contextmanager
def python(emulator: Emulator, home: Path, style: str) -> Iterator[Sdk]:
    """Run azure-mgmt-redis, in the style ``sync`` or ``aio``."""
    interpreter = clients.python(*clients.PYTHON_SDK) / "bin/python"
    command = [str(interpreter), str(SCRIPTS / "python_sdk.py"), style]
    with driving(command, clients.surroundings(emulator, home)) as driver:
        yield lambda *call: _without_nulls(driver.ask(call))


@contextlib.contextmanager
def javascript(emulator: Emulator, home: Path) -> Iterator[Sdk]:
    """Run @azure/arm-rediscache."""
    script = clients.node_script(home, (SCRIPTS / "js_sdk.mjs").read_text())
    with driving(["node", str(script)], clients.surroundings(emulator, home)) as driver:
        yield lambda *call: _javascript_call(driver, *call)


def python_operations(sdk: Sdk) -> Operations:
    """Name all that the Python SDK offers."""
    return frozenset((group, method) for group, method in sdk("operations"))


def javascript_operations() -> Operations:
    """Name all that the JavaScript SDK declares, by their Python names."""
    package = clients.node(*clients.JS_SDK) / "node_modules/@azure/arm-rediscache"
    return frozenset(
        (_snake(declared.stem.removesuffix(".d")), _snake(method.removesuffix(WAIT)))
        for declared in (package / "dist/esm/operationsInterfaces").glob("*.d.ts")
        for method in re.findall(r"^    (\w+)\(", declared.read_text(), re.MULTILINE)
    )


WAIT = "AndWait"  # the other form of a long-running operation gives a poller


def _javascript_call(
    driver: Driver, group: str, method: str, *arguments: object
) -> Any:  # noqa: ANN401 (as `Driver.ask`)
    wait = WAIT if method.startswith("begin_") else ""
    named = (_renamed(each, _camel) for each in arguments)
    result = driver.ask([_camel(group), _camel(method) + wait, *named])
    return _without_nulls(_renamed(result, _snake))


def _renamed(value: object, spell: Callable[[str], str]) -> object:
    """Respell the names of members; ids and tags are no such names."""
    match value:
        case dict():
            return {
                spell(k) if re.fullmatch(r"\w+", k) else k: _renamed(v, spell)
                for k, v in value.items()
            }
        case list():
            return [_renamed(each, spell) for each in value]
        case _:
            return value


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join("IP" if w == "ip" else w.capitalize() for w in rest)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])[A-Z]+", lambda found: "_" + found[0], name).lower()


def _without_nulls(value: object) -> object:
    match value:
        case Mapping():
            kept = value.items()
            return {k: _without_nulls(v) for k, v in kept if v is not None}
        case list():
            return [_without_nulls(each) for each in value]
        case _:
            return value

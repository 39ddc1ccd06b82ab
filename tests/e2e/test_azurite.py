"""Dumps go to and come from Azurite, as Azure's own library sees it."""

from __future__ import annotations

import base64
import contextlib
import io
import logging
import os
import re
import secrets
import socket
import subprocess
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from controller import logs
from controller.errors import ErrandError
from controller.pki import load_or_create_authority
from controller.places import read_place
from controller.storage import Limits, Storage
from tests.e2e import clients
from tests.e2e.driver import SCRIPTS, Driver, driving
from tests.emulator import Emulator, eventually, free_ports, running
from tests.redis_data import contents, fill

ACCOUNT = "devstoreaccount1"
MUCH = 1 << 26
DUMP = b"REDIS0011" + secrets.token_bytes(20_000_000)  # more than sockets hold


@dataclass(frozen=True, slots=True)
class Account:
    """A storage account, seen through Azure's library; and a folder to work in."""

    driver: Driver
    folder: Path
    log: io.StringIO

    def ask(self, *call: object) -> Any:  # noqa: ANN401 (as `Driver.ask`)
        """Have the library do something."""
        return self.driver.ask(call)

    @property
    def storage(self) -> Storage:
        """Give what is tested."""
        return Storage(self.folder, Limits())

    def dump(self, body: bytes = DUMP) -> Path:
        """Give a file that a server could have saved."""
        path = self.folder / "saved.rdb"
        path.write_bytes(body)
        return path

    def fails(self, address: str, act: Callable[[], object]) -> ErrandError:
        """Give the error of what is done; it tells nobody the signature."""
        with pytest.raises(ErrandError) as caught:
            act()
        logging.getLogger("test").error("it failed", exc_info=caught.value)
        told = "".join(traceback.format_exception(caught.value)) + self.log.getvalue()
        [signature] = re.findall(r"[?&]sig=([^&]+)", address)
        assert signature not in told
        return caught.value


@contextlib.contextmanager
def azurite(folder: Path, key: str, *options: str) -> Iterator[int]:
    """Run its blob service on a port of 127.0.0.1, for as long as the block lasts."""
    program = clients.node(*clients.AZURITE) / "node_modules/.bin/azurite-blob"
    port = free_ports(1)
    place = ("--location", str(folder), "--blobPort", str(port))
    quiet = ("--silent", "--disableTelemetry")
    environment = {"PATH": os.environ["PATH"], "AZURITE_ACCOUNTS": f"{ACCOUNT}:{key}"}
    with subprocess.Popen(
        [program, *place, *quiet, *options], env=environment, stdin=subprocess.DEVNULL
    ) as process:
        try:
            eventually(lambda: answers(port))
            yield port
        finally:
            process.kill()


def answers(port: int) -> bool:
    """Tell whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def certificate(folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Make one for 127.0.0.1; gives its authority's file, and Azurite's options."""
    now = datetime.now(UTC)
    leaf = load_or_create_authority(folder, (), now).issue(["127.0.0.1"], now)
    (folder / "leaf.pem").write_bytes(leaf.certificate_pem)
    (folder / "leaf-key.pem").write_bytes(leaf.key_pem)
    paths = ("--cert", str(folder / "leaf.pem"), "--key", str(folder / "leaf-key.pem"))
    return folder / "ca.pem", paths


@pytest.fixture(scope="module", params=["http", "https"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Driver]:
    """Run Azurite, and Azure's library for it; both schemes."""
    folder = tmp_path_factory.mktemp("azurite")
    key = base64.b64encode(secrets.token_bytes(32)).decode()
    authority, secure = certificate(folder)
    options = secure if request.param == "https" else ()
    interpreter = clients.python(*clients.BLOB_SDK) / "bin/python"
    with azurite(folder, key, *options) as port:
        address = f"{request.param}://127.0.0.1:{port}/{ACCOUNT}"
        script = str(SCRIPTS / "blob_sdk.py")
        command = [str(interpreter), script, address, ACCOUNT, key]
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("REQUESTS_CA_BUNDLE", str(authority))
            with driving(command, os.environ) as driver:
                yield driver


@pytest.fixture
def account(service: Driver, tmp_path: Path) -> Iterator[Account]:
    """Hear all that is logged, by libraries too, while it is used."""
    handlers, level = logging.root.handlers[:], logging.root.level
    log = io.StringIO()
    logs.configure("json", "debug", log)
    logging.getLogger().setLevel(logging.DEBUG)
    yield Account(service, tmp_path, log)
    logging.basicConfig(handlers=handlers, level=level, force=True)


@pytest.fixture
def container(account: Account) -> str:
    """Make a container of its own for each test."""
    name = f"c{secrets.token_hex(6)}"
    account.ask("create", name)
    return name


def test_a_dump_is_exported(account: Account, container: str) -> None:
    """To the SAS address of a container; a second one takes its place."""
    place = read_place(account.ask("container_sas", container, "cw", 1))
    for body in (DUMP, b"VALKEY080 and little else"):
        shown = account.storage.store(place, "n/a b+ü.rdb", account.dump(body))
        assert shown.endswith(f"/{ACCOUNT}/{container}/n/a%20b%2B%C3%BC.rdb")
        got = account.folder / "got"
        kind = account.ask("download", container, "n/a b+ü.rdb", str(got))
        assert (kind, got.read_bytes() == body) == ("BlockBlob", True)


def test_a_dump_is_imported(account: Account, container: str) -> None:
    """From the SAS address of a blob, as Azure's library writes it."""
    account.ask("upload", container, "n/a b+ü.rdb", str(account.dump()))
    place = read_place(account.ask("blob_sas", container, "n/a b+ü.rdb", "r", 1))
    account.storage.fetch(place, account.folder / "got", MUCH)
    assert (account.folder / "got").read_bytes() == DUMP


def test_an_export_is_imported(account: Account, container: str) -> None:
    """A container's SAS opens the blobs in it."""
    place = read_place(account.ask("container_sas", container, "rcw", 1))
    account.storage.store(place, "d.rdb", account.dump())
    account.storage.fetch(place.below("d.rdb"), account.folder / "got", MUCH)
    assert (account.folder / "got").read_bytes() == DUMP


def forged(address: str) -> str:
    """Give an address whose signature is another one."""
    return re.sub(r"(?<=sig=)[^&]+", "AAAA" * 10 + "AAA%3D", address)


@pytest.mark.parametrize(
    ("permission", "hours", "forge"),
    [
        pytest.param("rcw", 1, True, id="wrong signature"),
        pytest.param("rcw", -1, False, id="expired"),
        pytest.param("l", 1, False, id="may only list"),
    ],
)
def test_nobody_gets_in_with_a_wrong_sas(
    account: Account, container: str, permission: str, hours: int, *, forge: bool
) -> None:
    """Neither to store, however large, nor to fetch."""
    address = account.ask("container_sas", container, permission, hours)
    address = forged(address) if forge else address
    place, saved = read_place(address), account.dump()
    account.ask("upload", container, "d.rdb", str(saved))
    got = account.folder / "got"
    for act in (
        lambda: account.storage.store(place, "e.rdb", saved),
        lambda: account.storage.fetch(place.below("d.rdb"), got, MUCH),
    ):
        error = account.fails(address, act)
        assert error.reason == "AuthorizationFailure", str(error)
    assert not got.exists()


def test_what_is_not_there_is_told(account: Account, container: str) -> None:
    """A blob, or the container itself."""
    address = account.ask("blob_sas", container, "d.rdb", "r", 1)
    nowhere = account.ask("container_sas", "nowhere", "rcw", 1)
    got, saved = account.folder / "got", account.dump()
    for used, act, reasons in (
        (
            address,
            lambda: account.storage.fetch(read_place(address), got, MUCH),
            {"BlobNotFound"},
        ),
        (
            nowhere,
            lambda: account.storage.store(read_place(nowhere), "d.rdb", saved),
            {"ContainerNotFound"},
        ),
        (
            nowhere,
            lambda: account.storage.fetch(
                read_place(nowhere).below("d.rdb"), got, MUCH
            ),
            {"ContainerNotFound", "BlobNotFound"},
        ),
    ):
        error = account.fails(used, act)
        assert error.reason in reasons, str(error)
    assert not got.exists()


def test_a_foreign_blob_is_refused(account: Account, container: str) -> None:
    """One that is no dump, or too large."""
    account.ask("upload", container, "page", str(account.dump(b"<html></html>")))
    account.ask("upload", container, "large", str(account.dump()))
    got = account.folder / "got"
    for name, reason in (("page", "InvalidDump"), ("large", "DumpTooLarge")):
        address = account.ask("blob_sas", container, name, "r", 1)

        def act(address: str = address) -> None:
            account.storage.fetch(read_place(address), got, 1_000_000)

        assert account.fails(address, act).reason == reason
    assert not got.exists()


def test_an_unknown_authority_is_told(
    account: Account, container: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over https the message says what to set; over http there is none to know."""
    address = account.ask("container_sas", container, "cw", 1)
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    saved = account.dump()

    def act() -> None:
        account.storage.store(read_place(address), "d.rdb", saved)

    if address.startswith("http:"):
        act()
        return
    error = account.fails(address, act)
    assert error.reason == "StorageUnreachable"
    assert "certificate verify failed" in str(error)
    assert "REQUESTS_CA_BUNDLE names" in str(error)


def test_a_cache_moves_through_a_storage_account(
    account: Account, container: str
) -> None:
    """An emulator exports to a SAS, imports from it, and believes no forged one."""
    process = {"FLOCI_AZ_SERVICES_REDIS_BACKEND": "process"}
    folder = account.ask("container_sas", container, "rcw", 1)
    blob = account.ask("blob_sas", container, "night.rdb", "r", 1)
    export = {"container": folder, "prefix": "night"}
    sku = {"name": "Premium", "family": "P", "capacity": 1}
    state = account.folder / "state"
    state.mkdir()
    with running(state, **process) as emulator:
        emulator.create("moving", sku=sku)
        key = emulator.keys("moving")["primaryKey"]
        with emulator.door("moving").client(key) as client:
            fill(client)
            before = contents(client)
            assert ends(emulator, "export", export) == (200, None)
            client.flushall()
            assert ends(emulator, "import", {"files": [blob]}) == (200, None)
            assert contents(client) == before
            refused = (409, "AuthorizationFailure")
            forgeries = {"files": [forged(blob)]}
            assert ends(emulator, "import", forgeries) == refused
            assert ends(emulator, "export", export | {"container": forged(folder)}) == (
                refused
            )
            assert contents(client) == before
        for address in (folder, blob):
            [signature] = re.findall(r"[?&]sig=([^&]+)", address)
            assert signature not in emulator.log.read_text()


def ends(
    emulator: Emulator, action: str, body: dict[str, Any]
) -> tuple[int, str | None]:
    """Have a cache do something; gives the status and the code of its end."""
    begun = emulator.call("POST", f"moving/{action}", body)
    assert begun.status_code == 202, begun.text

    def poll() -> tuple[int, str | None] | None:
        answer = emulator.call("GET", begun.headers["Location"])
        code = answer.json().get("error", {}).get("code") if answer.content else None
        return (answer.status_code, code) if answer.status_code != 202 else None

    return eventually(poll)

"""Caches speak TLS, as their names and their minimumTlsVersion say."""

from __future__ import annotations

import contextlib
import socket
import ssl
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import pytest

from controller.pki import CERTIFICATE_FILE
from tests.emulator import Emulator, running
from tests.faults.rig import HOST, SECURE, Rig, admits, client_of
from tests.faults.servers import DockerServers, Servers

CACHE = "secured"
OTHERS = "other"
FURTHER = {"FLOCI_AZ_TLS_NAMES": "caches.example,10.9.8.7"}
VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


class MakeRig(Protocol):
    """Makes a rig whose emulator has further settings."""

    def __call__(
        self, state: Path, **variables: str
    ) -> contextlib.AbstractContextManager[Rig[Servers]]:
        """Run it for as long as the block lasts."""
        ...


@pytest.fixture(scope="module", params=SECURE)
def secure(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rig[Servers]]:
    """Run an emulator that has further names, with two caches."""
    make: MakeRig = request.param
    with make(tmp_path_factory.mktemp("secure"), **FURTHER) as rig:
        rig.emulator.create(CACHE)
        rig.emulator.create(OTHERS)
        yield rig


def trusted(rig: Rig[Servers], name: str) -> bool:
    """Tell whether a client that trusts the authority takes the server for ``name``."""
    authority = rig.emulator.directory / CERTIFICATE_FILE
    context = ssl.create_default_context(cafile=authority)
    try:
        with (
            socket.create_connection((HOST, rig.door(CACHE).port), 5) as plain,
            context.wrap_socket(plain, server_hostname=name),
        ):
            return True
    except ssl.SSLCertVerificationError:
        return False


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "127.0.0.1",
        "::1",
        "host.docker.internal",
        f"{CACHE}.redis.cache.windows.net",
        "caches.example",
        "10.9.8.7",
    ],
)
def test_a_certificate_is_good_for_each_name_of_the_cache(
    secure: Rig[Servers], name: str
) -> None:
    """By whichever of them a client comes, it need not look away."""
    assert trusted(secure, name)


@pytest.mark.parametrize(
    "name",
    [
        f"{OTHERS}.redis.cache.windows.net",
        "redis.cache.windows.net",
        f"x.{CACHE}.redis.cache.windows.net",
        CACHE,
        "x.localhost",
        "127.0.0.2",
        "10.9.8.8",
        "x.caches.example",
        "example.com",
    ],
)
def test_a_certificate_is_good_for_no_other_name(
    secure: Rig[Servers], name: str
) -> None:
    """Not for those of another cache, nor for all that the authority may sign for."""
    assert not trusted(secure, name)


@pytest.mark.docker
def test_a_certificate_is_good_for_the_name_of_the_container(
    docked: Rig[DockerServers],
) -> None:
    """Its neighbours in the network know it by that; it is not another cache's."""
    names = []
    for cache in (CACHE, OTHERS):
        docked.emulator.create(cache)
        names.append(docked.servers.inspect(cache)["Name"].removeprefix("/"))
    assert [trusted(docked, name) for name in names] == [True, False]
    for cache in (CACHE, OTHERS):
        docked.emulator.delete(cache)


def speaks(port: int, version: ssl.TLSVersion) -> bool:
    """Tell whether a client of this version alone gets through to the server."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else OpenSSL itself refuses old ones
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old ones are on purpose
        context.minimum_version = context.maximum_version = version
    with socket.create_connection((HOST, port), 5) as plain:
        try:
            with context.wrap_socket(plain) as client:
                client.sendall(b"PING\r\n")
                return b"NOAUTH" in client.recv(1024)
        except (ssl.SSLError, ConnectionError):
            return False


def spoken(rig: Rig[Servers]) -> set[str]:
    """Name the versions that the cache's server takes."""
    port = rig.door(CACHE).port
    return {name for name, version in VERSIONS.items() if speaks(port, version)}


def change(emulator: Emulator, cache: str, **properties: object) -> None:
    """Patch the cache, and wait until that is in place."""
    answer = emulator.call("PATCH", cache, {"properties": properties})
    assert answer.ok, answer.text
    emulator.settled(cache)


def test_unset_no_client_of_an_old_version_is_let_in(secure: Rig[Servers]) -> None:
    """As on Azure, which has retired them."""
    shown = secure.emulator.call("GET", CACHE).json()["properties"]
    assert shown.get("minimumTlsVersion") is None
    assert spoken(secure) == {"1.2", "1.3"}


def test_the_minimum_version_is_enforced_live(secure: Rig[Servers]) -> None:
    """The next client is held to it; those that are in, and the data, stay."""
    wanted: Mapping[str, set[str]] = {
        "1.0": {"1.0", "1.1", "1.2", "1.3"},
        "1.1": {"1.1", "1.2", "1.3"},
        "1.2": {"1.2", "1.3"},
    }
    runs = secure.servers.runs(CACHE)
    with secure.emulator.connect(CACHE) as client:
        number = client.client_id()
        found = {}
        for version in wanted:
            change(secure.emulator, CACHE, minimumTlsVersion=version)
            found[version] = spoken(secure)
        assert client.client_id() == number
    assert found == wanted
    assert secure.servers.runs(CACHE) == runs


def is_open(rig: Rig[Servers]) -> bool:
    """Tell whether the cache answers without TLS."""
    with socket.create_connection((HOST, rig.port(CACHE)), 5) as client:
        try:
            client.sendall(b"PING\r\n")
            return b"NOAUTH" in client.recv(1024)
        except ConnectionError:
            return False


def shut(rig: Rig[Servers]) -> bool:
    """Tell whether the port without TLS is closed; a container's answers nothing."""
    try:
        return not is_open(rig)
    except ConnectionRefusedError:
        return True


def test_the_port_without_tls_is_opened_and_closed_live(secure: Rig[Servers]) -> None:
    """The server keeps its data, and a connection by TLS goes on throughout."""
    assert shut(secure)
    runs = secure.servers.runs(CACHE)
    with secure.emulator.connect(CACHE) as client:
        client.set("greeting", "hello")
        number = client.client_id()
        for wanted in (True, False, True, False):
            change(secure.emulator, CACHE, enableNonSslPort=wanted)
            assert shut(secure) is not wanted
            if wanted:
                plain = secure.door(CACHE)._replace(port=secure.port(CACHE), tls=False)
                key = secure.emulator.keys(CACHE)["secondaryKey"]
                with client_of(plain, key) as other:
                    assert other.get("greeting") == b"hello"
        assert (client.get("greeting"), client.client_id()) == ("hello", number)
    assert secure.servers.runs(CACHE) == runs


def test_a_server_without_tls_has_its_plain_port_open(tmp_path: Path) -> None:
    """With none on PATH the one that a dependency carries serves, and it is ready."""
    variables = {"FLOCI_AZ_SERVICES_REDIS_BACKEND": "process", "PATH": "/nowhere"}
    with running(tmp_path, **variables) as emulator:
        shown = emulator.create(CACHE)
        door = emulator.door(CACHE)
        assert (door.tls, door.port) == (False, shown["port"])
        assert all(admits(door, key) for key in emulator.keys(CACHE).values())
        key = emulator.rotate(CACHE)["primaryKey"]
        change(emulator, CACHE, enableNonSslPort=True, minimumTlsVersion="1.2")
        change(emulator, CACHE, enableNonSslPort=False)
        assert admits(door, key)

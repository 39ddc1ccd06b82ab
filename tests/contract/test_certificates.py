"""The certificates of real servers are renewed, and their clients notice nothing."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from controller.actions import Done
from controller.certificates import LEAF_LIFE
from controller.config import Limits
from controller.execute import World
from controller.leaves import Leaves
from controller.model import Change, Moment, Work
from controller.nodes import Phase
from controller.observe import Observer
from controller.ports import PortLedger, PortRange
from controller.reconcile import Reconciler
from controller.store import Store
from tests.builders import CAUSE, ToldErrands
from tests.contract.docker_rig import docker_rig
from tests.contract.rigs import (
    AUTHORITY,
    CACHE,
    CACHE_SPEC,
    KEYS,
    NODE,
    Factory,
    Rig,
    eventually,
    process_rig,
)
from tests.emulator import Door

DAY = timedelta(days=1)
TWO_THIRDS = LEAF_LIFE * 2 / 3 - DAY  # after the signing, which is backdated by a day


@dataclass(slots=True)
class Controller:
    """Rounds for one cache on a real server; its clock is late by ``late``.

    Clients have the true time, so that they tell whether a certificate is still good.
    """

    rig: Rig
    late: timedelta
    _reconcile: Reconciler = field(init=False)

    def __post_init__(self) -> None:
        """Ask for the cache."""
        store = Store(self._ledger(), lambda _: None, self.clock)
        backend, admin = self.rig.backend, self.rig.admin
        self._reconcile = Reconciler(
            store=store,
            world=World(backend=backend, admin=admin, errands=ToldErrands()),
            observe=Observer(backend, admin, lambda: self.clock().monotonic),
            limits=Limits(
                image=self.rig.image, max_memory_bytes=64 << 20, restricted=False
            ),
            leaves=Leaves(AUTHORITY, lambda _: ("localhost", "127.0.0.1")),
            clock=self.clock,
        )
        store.put(CACHE, lambda _: Change(CACHE_SPEC, Work.CREATING), CAUSE)
        self.settle()

    def clock(self) -> Moment:
        """Read the clock, which is wrong."""
        now = datetime.now(UTC)
        return Moment(now.timestamp(), now - self.late)

    def settle(self) -> None:
        """Run rounds until there is nothing to do."""
        eventually(lambda: isinstance(self._reconcile(CACHE), Done))

    def _ledger(self) -> PortLedger:
        plain, tls = self.rig.ports.plain, self.rig.ports.tls
        return PortLedger(
            PortRange(plain, plain, ""),
            PortRange(tls, tls, ""),
            free=lambda _: True,
            monotonic=lambda: self.clock().monotonic,
        )


@pytest.fixture(
    params=[
        pytest.param(process_rig, id="process", marks=pytest.mark.tls_process),
        pytest.param(docker_rig, id="docker", marks=pytest.mark.docker),
    ]
)
def secure(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    """Give each backend whose servers know TLS."""
    factory: Factory = request.param
    with factory(tmp_path) as rig:
        yield rig


def shown(rig: Rig) -> bytes:
    """Read the certificate of the server as a client does that trusts the authority."""
    authority = AUTHORITY.certificate_pem.decode()
    context = ssl.create_default_context(cadata=authority)
    with (
        socket.create_connection(("127.0.0.1", rig.ports.tls), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        certificate = client.getpeercert(binary_form=True)
    assert certificate is not None
    return certificate


def run_of(rig: Rig) -> str:
    """Name the run of the server: another one after each start."""
    with Door(rig.ports.tls, tls=True).client(KEYS.primary.reveal) as client:
        run: str = client.info("server")["run_id"]
    return run


def test_a_certificate_is_renewed_at_two_thirds_of_its_life(secure: Rig) -> None:
    """The running server shows another one from then on, and nobody is cut off."""
    controller = Controller(secure, late=TWO_THIRDS + DAY)
    first, run = shown(secure), run_of(secure)
    door = Door(secure.ports.tls, tls=True)
    with door.client(KEYS.primary.reveal, single_connection_client=True) as client:
        number = client.client_id()

        controller.late = 2 * DAY
        controller.settle()
        assert shown(secure) == first

        controller.late = timedelta()
        controller.settle()
        assert shown(secure) != first
        assert client.client_id() == number
    assert run_of(secure) == run


def test_an_expired_certificate_is_replaced(secure: Rig) -> None:
    """The controller still gets in when nobody else does, and then all do again."""
    controller = Controller(secure, late=LEAF_LIFE)
    run = run_of(secure)
    with pytest.raises(ssl.SSLCertVerificationError, match="has expired"):
        shown(secure)

    controller.late = timedelta()
    controller.settle()

    assert shown(secure)
    assert run_of(secure) == run


def test_a_server_that_ends_comes_back_with_the_renewed_certificate(
    secure: Rig,
) -> None:
    """It starts from what it was last told, not from what it was created with."""
    controller = Controller(secure, late=LEAF_LIFE)
    controller.late = timedelta()
    controller.settle()
    renewed = shown(secure)

    secure.stop(NODE)
    eventually(lambda: secure.node(NODE).phase is Phase.STOPPED)
    secure.backend.start(NODE, keep_data=False)
    secure.serving(NODE)

    assert shown(secure) == renewed

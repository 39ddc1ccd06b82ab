"""Everything but the socket, put together; part of the composition root."""

from __future__ import annotations

import random
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import falcon
from prometheus_client import (
    CollectorRegistry,
    ProcessCollector,
    disable_created_metrics,
)

from api.app import create_app
from api.arm.gate import Gate
from api.arm.routes import routes
from api.arm.scopes import Scopes
from api.arm.signing import Signer
from api.certificate import own_names, trust_routes
from api.engine import Engine
from api.guard import Surface
from api.parts import Parts
from controller import loop, storage
from controller.backends.mocked import MockedDumps
from controller.certificates import Authority
from controller.config import Limits
from controller.dumps import Dumps, emptied
from controller.errands import Errands
from controller.execute import World
from controller.journal import Journal
from controller.leaves import Leaves
from controller.loaders import Loaders
from controller.metrics import LoopMetrics
from controller.model import CacheKey, Endpoint, Moment, Ports
from controller.observe import Observer
from controller.pace import pace_of
from controller.pki import CERTIFICATE_FILE
from controller.ports import (
    PLAIN_PORT,
    TLS_PORT,
    Ledger,
    NoLedger,
    PortLedger,
    PortRange,
)
from controller.reconcile import Reconciler
from controller.settings import Settings, variable_of
from controller.shortfalls import shortfalls
from controller.storage import Storage
from controller.store import Store
from controller.transfers import Transfers
from controller.workqueue import WorkQueue

DISTRIBUTION = "azure-redis-emulator"
PATIENCE_SECONDS = 5.0  # how long one request may wait for the loop
DUMP_SECONDS = 90.0  # for one dump on its way; less than `transfers.SECONDS`


@dataclass(frozen=True, slots=True)
class Emulator:
    """The API and the loop behind it; ``described`` holds no secret."""

    app: falcon.App[falcon.Request, falcon.Response]
    loop: loop.Loop
    transfers: Transfers
    described: Mapping[str, Any]


def now() -> Moment:
    """Read both clocks."""
    return Moment(time.monotonic(), datetime.now(UTC))


def assemble(
    settings: Settings, engine: Engine, authority: Authority, journal: Journal
) -> Emulator:
    """Build the emulator; nothing of it runs yet."""
    disable_created_metrics()  # type: ignore[no-untyped-call]  # it has no types
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    queue = WorkQueue[CacheKey](
        time.monotonic,
        random.random,  # spreads retries; guessing it gains nothing
    )

    def written(key: CacheKey) -> None:
        queue.forget(key)  # what went wrong with the old spec says nothing of the new
        queue.add(key)

    ledger, pace = _ledger(settings, engine), pace_of(settings.operations)
    store = Store(ledger, written, now, pace, journal)
    transfers = _transfers(settings, engine, queue.add)
    reconcile = _reconciler(settings, engine, store, authority, transfers)
    looping = _loop(reconcile, queue, registry)
    described = describe(settings, engine)
    parts = Parts(
        store=store,
        endpoint=_endpoints(settings, engine),
        patience_seconds=PATIENCE_SECONDS,
        mocked=settings.mocked,
        ready=looping.not_ready if settings.enabled else tuple,
        enabled=settings.enabled,
        hostname=settings.hostname or "",
        token_lifetime_seconds=settings.token_lifetime_seconds,
        judge=engine.admin.judge,
        registry=registry,
        describe=described,
        loses_data_as_azure=settings.scaling == "faithful",
        shortfalls=lambda record: shortfalls(
            record, reconcile.limits, isolates=engine.backend.isolates()
        ),
    )
    scopes = Scopes(store, strict=settings.strict)
    arm = routes(parts, scopes, Signer.generate())
    open_to_all = {**arm[Surface.OPEN], **trust_routes(authority)}
    around = {**arm, Surface.OPEN: open_to_all}
    app = create_app(parts, around=around, gates=[Gate(scopes)])
    return Emulator(app, looping, transfers, described)


def describe(settings: Settings, engine: Engine) -> Mapping[str, Any]:
    """Say what runs here and why: for the banner, the log and the status page."""
    return {
        "version": version(DISTRIBUTION),
        "url": f"http://{settings.host}:{settings.port}",
        "https": f"https://localhost:{settings.port}",
        "trust": str(settings.state_directory / CERTIFICATE_FILE),
        "backend": engine.backend.describe(),
        "why": engine.why,
        "image": settings.default_image,
        "ports": f"{settings.base_port}-{settings.max_port}",
        "storage": settings.storage_mode,
        "state_directory": str(settings.state_directory),
    }


def _transfers(
    settings: Settings, engine: Engine, wake: Callable[[CacheKey], None]
) -> Transfers:
    loaders = Loaders(engine.backend, engine.admin, wake)
    if engine.backend.name == "mocked":
        return Transfers(MockedDumps(), loaders, wake)
    dumps = Dumps(
        backend=engine.backend,
        data=engine.admin.data,
        storage=Storage(
            settings.state_directory, storage.Limits(dump_seconds=DUMP_SECONDS)
        ),
        loaders=loaders,
        folder=emptied(settings.state_directory / "transfers"),
    )
    return Transfers(dumps, loaders, wake)


def _reconciler(
    settings: Settings,
    engine: Engine,
    store: Store,
    authority: Authority,
    transfers: Transfers,
) -> Reconciler:
    return Reconciler(
        store=store,
        world=World(
            backend=engine.backend,
            admin=engine.admin,
            errands=Errands(admin=engine.admin, transfers=transfers),
        ),
        observe=Observer(engine.backend, engine.admin, time.monotonic),
        limits=Limits(
            image=settings.default_image,
            max_memory_bytes=settings.max_memory_bytes,
            restricted=settings.restrict_commands,
        ),
        leaves=Leaves(authority, lambda key: _names(settings, engine, key)),
        clock=now,
    )


def _loop(
    reconcile: Reconciler, queue: WorkQueue[CacheKey], registry: CollectorRegistry
) -> loop.Loop:
    return loop.Loop(
        loop.Parts(
            store=reconcile.store,
            backend=reconcile.world.backend,
            observer=reconcile.observe,
            reconcile=reconcile,
            queue=queue,
            metrics=LoopMetrics(registry, queue.__len__),
            clock=now,
        )
    )


def _endpoints(
    settings: Settings, engine: Engine
) -> Callable[[CacheKey, Ports], Endpoint]:
    """Say where caches are: where they run, or where they would be in Azure."""
    if settings.endpoints == "local":
        return engine.backend.endpoint
    return lambda key, _ports: Endpoint(
        host=key.azure_host, port=PLAIN_PORT, ssl_port=TLS_PORT
    )


def _names(settings: Settings, engine: Engine, key: CacheKey) -> tuple[str, ...]:
    """Give the names and addresses under which a cache answers."""
    return (*own_names(settings), *engine.backend.names(key), key.azure_host)


def _ledger(settings: Settings, engine: Engine) -> Ledger:
    if engine.backend.name == "mocked":
        return NoLedger()
    return PortLedger(
        plain=PortRange(settings.base_port, settings.max_port, variable_of("max_port")),
        tls=PortRange(
            settings.base_ssl_port, settings.max_ssl_port, variable_of("max_ssl_port")
        ),
        free=_free,
        monotonic=time.monotonic,
    )


def _free(port: int) -> bool:
    """Tell whether no program listens on a port of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True

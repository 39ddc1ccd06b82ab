"""Take a cache's data to a storage, and bring in those from there."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import structlog

from controller.admin import Data
from controller.backends.base import Backend
from controller.loaders import Loaders, Order
from controller.nodes import Node, NodeSpec, Pause
from controller.spec import Errand, ErrandKind
from controller.storage import Storage

# A dump is smaller than the data in memory, unless these are small and many
MOST_PER_BYTE = 4
MOST_BESIDES = 64 << 20

log = structlog.get_logger(__name__)


def emptied(folder: Path) -> Path:
    """Give a folder that nobody else sees, without what a killed emulator left."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Dumps:
    """Carries them; what is on its way lies in ``folder``."""

    backend: Backend
    data: Data
    storage: Storage
    loaders: Loaders
    folder: Path

    def __call__(
        self, node: Node, spec: NodeSpec, errand: Errand, pause: Pause
    ) -> None:
        """Carry out an import or an export of the node, for which ``spec`` is asked.

        Raises `ErrandError` and what a backend and the admin raise.
        """
        with tempfile.TemporaryDirectory(
            dir=self.folder, ignore_cleanup_errors=True
        ) as own:
            if errand.kind is ErrandKind.EXPORT:
                self._export(node, spec, errand, Path(own), pause)
            else:
                self._import(node, spec, errand, Path(own), pause)

    def close(self) -> None:
        """Delete what is on its way, also that of a thread which hangs."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _export(
        self, node: Node, spec: NodeSpec, errand: Errand, own: Path, pause: Pause
    ) -> None:
        self.data.dump(node, pause)
        saved = own / "saved.rdb"
        self.backend.read_dump(node.key, saved)
        pause(0.0)  # what is dropped late may be somebody else's
        if not spec.durable:
            self.backend.drop_dump(node.key)
        [container] = errand.places
        place = self.storage.store(container, f"{errand.prefix}.rdb", saved)
        log.info(
            "cache.exported",
            key=str(node.key.cache),
            place=place,
            size_bytes=saved.stat().st_size,
            request_id=errand.request_id,
        )

    def _import(
        self, node: Node, spec: NodeSpec, errand: Errand, own: Path, pause: Pause
    ) -> None:
        """Load each file in a server of its own, and let the cache have the sum.

        An emulator that was killed may have left the cache's server following one
        that is gone, so it leads before anything else.
        """
        self.data.lead(node)
        most = int(spec.settings["maxmemory"])
        orders = []
        for number, place in enumerate(errand.places):
            dump = own / f"{number}.rdb"
            self.storage.fetch(place, dump, MOST_PER_BYTE * most + MOST_BESIDES)
            pause(0.0)
            orders.append(
                Order(
                    node=node.key,
                    spec=spec,
                    name=f"{secrets.token_hex(4)}-{number}",
                    dump=dump,
                    most_bytes=most,
                )
            )
        with ExitStack() as stack:
            first, *others = orders
            whole = stack.enter_context(self.loaders.loaded(first, pause))
            for order in others:
                with self.loaders.loaded(order, pause) as part:
                    self.data.add(whole, part, pause)
                self.loaders.check_size(whole, most)
            self.data.replace(node, whole, spec.memory_bytes, pause)
        log.info(
            "cache.imported",
            key=str(node.key.cache),
            places=[str(place) for place in errand.places],
            size_bytes=sum(order.dump.stat().st_size for order in orders),
            request_id=errand.request_id,
        )

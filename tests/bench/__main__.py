"""Print what the README claims about speed, each figure beside its baseline.

All of it, or the parts that are named: ``python -m tests.bench lifecycle idle``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping

from tests.bench import (
    clients,
    dataplane,
    front,
    idle,
    lifecycle,
    resync,
    settings,
    throughput,
    transfers,
)

PARTS: Mapping[str, Callable[[], None]] = {
    "lifecycle": lifecycle.run,
    "settings": settings.run,
    "transfers": transfers.run,
    "throughput": throughput.run,
    "front": front.run,
    "clients": clients.run,
    "dataplane": dataplane.run,
    "idle": idle.run,
    "resync": resync.run,
}


def main() -> None:
    """Run the parts that are named, or all."""
    for name in sys.argv[1:] or PARTS:
        print(f"== {name}")  # noqa: T201 (what it is for)
        PARTS[name]()


if __name__ == "__main__":
    main()

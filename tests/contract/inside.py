"""What `test_docker_networks` runs in a container: an emulator's part in a cache.

``python -m tests.contract.inside INSTANCE PORT [tidy]`` creates a cache, waits until
it serves, prints where users find it, and leaves it there unless it is to be tidy.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from controller.model import Ports
from tests.contract.docker_rig import make_rig
from tests.contract.rigs import CACHE, NODE


def main(instance: str, port: int, *, tidy: bool) -> None:
    """Create the cache with ``port`` published on the host."""
    rig = make_rig(instance)
    ports = Ports(plain=port, tls=port + 1)
    rig.backend.create(NODE, rig.spec(ports=ports))
    rig.serving(NODE)
    endpoint = rig.backend.endpoint(CACHE, ports)
    json.dump(asdict(endpoint), sys.stdout)
    if tidy:
        rig.backend.remove(NODE)
        rig.backend.clean_up()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), tidy=sys.argv[3:] == ["tidy"])

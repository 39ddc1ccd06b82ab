"""What `test_docker_networks` runs in a container: an emulator's part in a cache.

``python -m tests.contract.inside INSTANCE PORT TLS-PORT [tidy]`` creates a cache, waits
until it serves, prints where users find it, and leaves it there unless told ``tidy``.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from controller.model import Ports
from tests.contract.docker_rig import make_rig
from tests.contract.rigs import CACHE, NODE


def main(instance: str, ports: Ports, *, tidy: bool) -> None:
    """Create the cache with these ports published on the host."""
    rig = make_rig(instance)
    rig.backend.create(NODE, rig.spec(ports=ports))
    rig.serving(NODE)
    endpoint = rig.backend.endpoint(CACHE, ports)
    json.dump(asdict(endpoint), sys.stdout)
    if tidy:
        rig.backend.remove(NODE)
        rig.backend.clean_up()


if __name__ == "__main__":
    chosen = Ports(plain=int(sys.argv[2]), tls=int(sys.argv[3]))
    main(sys.argv[1], chosen, tidy=sys.argv[4:] == ["tidy"])

# ruff: noqa: INP001 (a program of its own, and no package)
"""An application: asks for a cache, waits until it is ready, and uses it.

It connects as in production, to the name and the port that the cache would have in
Azure; only the authority that it trusts is the emulator's.
"""

from __future__ import annotations

import json
import os
import threading
import urllib.request
from typing import Any

import redis

EMULATOR = os.environ.get("EMULATOR", "http://localhost:4577")
NAME = "example"
HOST = f"{NAME}.redis.cache.windows.net"
TLS_PORT = 6380
CACHE = (
    f"{EMULATOR}/subscriptions/my-sub/resourceGroups/my-rg"
    f"/providers/Microsoft.Cache/redis/{NAME}"
)
BODY = {
    "location": "westeurope",
    "properties": {"sku": {"name": "Basic", "family": "C", "capacity": 0}},
}


def call(method: str, action: str = "", body: object = None) -> Any:  # noqa: ANN401 (JSON)
    """Send one request to the management API, and give its answer."""
    request = urllib.request.Request(  # noqa: S310 (http, by the default above)
        f"{CACHE}{action}?api-version=2024-11-01",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (as above)
        return json.load(answer)


def authority() -> str:
    """Fetch the certificate that signed those of all caches, as PEM."""
    url = f"{EMULATOR}/_emulator/ca.pem"
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 (as above)
        return str(answer.read(), "ascii")


def main() -> None:
    """Create the cache, set a value in it, and get the value back."""
    properties = call("PUT", body=BODY)["properties"]
    while properties["provisioningState"] == "Creating":
        threading.Event().wait(0.2)
        properties = call("GET")["properties"]
    cache = redis.Redis(
        host=HOST,
        port=TLS_PORT,
        password=call("POST", "/listKeys")["primaryKey"],
        ssl=True,
        ssl_ca_data=authority(),
        decode_responses=True,
    )
    cache.set("greeting", "hello")
    print(f"{HOST}:{TLS_PORT} says: {cache.get('greeting')}")  # noqa: T201 (its purpose)


if __name__ == "__main__":
    main()

"""Looks from a container by which names and ports the cache beside it is reached.

Prints a line of JSON: the cache's properties, and which of all addresses answer with
its port without TLS closed, and with it open.
"""

from __future__ import annotations

import json
import os
import threading
from itertools import product
from typing import Any

import redis
import requests
from redis.backoff import NoBackoff
from redis.retry import Retry

EMULATOR = os.environ["EMULATOR"]
NAME = "neighbour"
CACHE = (
    f"{EMULATOR}/subscriptions/my-sub/resourceGroups/my-rg"
    f"/providers/Microsoft.Cache/redis/{NAME}"
)
SKU = {"name": "Basic", "family": "C", "capacity": 0}


def call(method: str, action: str = "", body: object = None) -> Any:  # noqa: ANN401 (JSON)
    """Send one request to the management API, and give its answer."""
    version = {"api-version": "2024-11-01"}
    url = CACHE + action
    answer = requests.request(method, url, params=version, json=body, timeout=30)
    answer.raise_for_status()
    return answer.json()


def written(*, plain: bool) -> Any:  # noqa: ANN401 (JSON)
    """Have the port without TLS open or closed; gives the properties."""
    properties = {"sku": SKU, "enableNonSslPort": plain}
    call("PUT", body={"location": "westeurope", "properties": properties})
    while (shown := call("GET")["properties"])["provisioningState"] != "Succeeded":
        threading.Event().wait(0.1)
    return shown


def main() -> None:
    """Try every name with every port, and say which of them answer."""
    shown = written(plain=False)
    key = call("POST", "/listKeys")["primaryKey"]
    authority = requests.get(f"{EMULATOR}/_emulator/ca.pem", timeout=30).text

    def answers(name: str, port: int) -> bool:
        with redis.Redis(
            name,
            port,
            password=key,
            ssl=port == shown["sslPort"],
            ssl_ca_data=authority,
            retry=Retry(NoBackoff(), 0),
        ) as client:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

    def reached() -> list[str]:
        names = (shown["hostName"], NAME, f"{NAME}.redis.cache.windows.net")
        addresses = product(names, (shown["port"], shown["sslPort"]))
        return [f"{name}:{port}" for name, port in addresses if answers(name, port)]

    closed = reached()
    written(plain=True)
    print(json.dumps({"shown": shown, "closed": closed, "open": reached()}))  # noqa: T201 (its purpose)


main()

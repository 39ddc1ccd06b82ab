"""The whole API over HTTP, on a store whose loop is the test itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import falcon.testing
from prometheus_client import CollectorRegistry

from api.app import create_app
from api.arm.gate import Gate
from api.arm.routes import routes
from api.arm.scopes import Scopes
from api.arm.signing import Signer
from api.parts import Parts
from controller.journal import NOWHERE, Journal
from controller.model import (
    CacheKey,
    CacheStatus,
    Condition,
    Endpoint,
    Ports,
    Record,
)
from controller.pace import Pace, fast
from controller.ports import NoLedger
from controller.store import Store
from tests.builders import NOW, START

HOST = "localhost:4577"
SUBSCRIPTION = "/subscriptions/my-sub"
CACHES = SUBSCRIPTION + "/resourceGroups/my-rg/providers/Microsoft.Cache/redis"
CACHE = CACHES + "/Cache1"
VERSION = {"api-version": "2024-11-01"}
BASIC: dict[str, Any] = {
    "location": "West Europe",
    "properties": {"sku": {"name": "Basic", "family": "C", "capacity": 0}},
}


@cache
def _signer() -> Signer:
    """Make the one key pair of all tests; it takes a while."""
    return Signer.generate()


def _endpoint(key: CacheKey, ports: Ports) -> Endpoint:
    return Endpoint(host=key.name.lower(), port=ports.plain, ssl_port=ports.tls)


@dataclass(kw_only=True)
class Wire:
    """An app, a client for it, and the loop's part: `settle`, `fail`, `finish`.

    With ``prompt`` each write is in place before it is answered; ``strict`` is the
    mode in which subscriptions and groups have to be created. ``told`` is what else
    happens when the store notifies of a key. Answers wait for ``patience_seconds``.
    """

    prompt: bool = False
    strict: bool = False
    enabled: bool = True
    hostname: str = ""
    reasons: tuple[str, ...] = ()
    pace: Pace = fast
    token_lifetime_seconds: int = 3600
    patience_seconds: float = 0.0
    judge: Callable[[CacheKey, str], str | None] = lambda _key, _permissions: None
    told: Callable[[CacheKey], None] = lambda _key: None
    journal: Journal = NOWHERE
    store: Store = field(init=False)
    client: falcon.testing.TestClient = field(init=False)

    def __post_init__(self) -> None:
        """Put it together."""
        self.store = Store(
            NoLedger(), self._notify, lambda: NOW, self.pace, self.journal
        )
        parts = Parts(
            store=self.store,
            endpoint=_endpoint,
            patience_seconds=self.patience_seconds,
            mocked=self.prompt,
            ready=lambda: self.reasons,
            enabled=self.enabled,
            hostname=self.hostname,
            token_lifetime_seconds=self.token_lifetime_seconds,
            judge=self._judge,
            registry=CollectorRegistry(),
            describe={"backend": "none"},
        )
        scopes = Scopes(self.store, strict=self.strict)
        app = create_app(
            parts, around=routes(parts, scopes, _signer()), gates=[Gate(scopes)]
        )
        self.client = falcon.testing.TestClient(app, headers={"Host": HOST})

    def call(
        self,
        method: str,
        path: str = CACHE,
        **options: Any,  # noqa: ANN401 (whatever the client of falcon takes)
    ) -> falcon.testing.Result:
        """Send a request, at the newest api-version unless ``params`` says more."""
        options.setdefault("params", VERSION)
        return self.client.simulate_request(method, path, **options)

    def create(self, path: str = CACHE) -> falcon.testing.Result:
        """Ask for a small cache."""
        result = self.call("PUT", path, json=BASIC)
        assert result.status_code == 201, result.text
        return result

    def settle(self) -> None:
        """Let every cache reach what it was asked for, and the deleted ones go."""
        for record in self.store.records():
            if record.deleting:
                self.store.drop(record)
            else:
                self._report(record, _condition("Progressing", holds=True))

    def fail(self, reason: str, message: str) -> None:
        """Let every cache need somebody's help."""
        for record in self.store.records():
            told = _condition("Progressing", holds=False)
            self._report(record, replace(told, reason=reason, message=message))

    def _notify(self, key: CacheKey) -> None:
        if self.prompt:
            self.settle()
        self.told(key)

    def _judge(self, key: CacheKey, permissions: str) -> str | None:
        return self.judge(key, permissions)

    def _report(self, record: Record, condition: Condition) -> None:
        reached = condition.holds and record.generation
        status = CacheStatus(
            observed_generation=reached or record.status.observed_generation,
            conditions=(condition,),
        )
        self.store.report(record, status)


def _condition(kind: str, *, holds: bool) -> Condition:
    return Condition(type=kind, holds=holds, reason="Told", message="", since=START)

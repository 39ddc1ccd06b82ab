"""Connections to servers, and what redis-py makes of what goes wrong on them."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import redis
import tenacity
from redis.backoff import NoBackoff
from redis.retry import Retry

from controller.errors import TransientError
from controller.nodes import Address
from controller.spec import Secret

ANSWER_SECONDS = 1.0  # a server that needs longer for a PING counts as silent
RETRY_SECONDS = 2.0  # in all, around one call
SAVE_SECONDS = 60.0  # for all data to be written down
LOOK_SECONDS = 0.02  # between two questions whether they are

_LOST = (redis.ConnectionError, redis.TimeoutError)
_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL
_Answer = TypeVar("_Answer")

Login = tuple[str, Secret]  # user and password


@dataclass(frozen=True, slots=True)
class Connections:
    """Makes connections to servers whose certificates an authority signed."""

    context: ssl.SSLContext

    def open(
        self,
        address: Address,
        login: Login | None = None,
        *,
        tls: bool | None = None,
        seconds: float = ANSWER_SECONDS,
    ) -> redis.Redis:
        """Connect by TLS where there is any: the other port may be closed.

        An expired certificate is taken, or nobody could replace it any more.
        """
        secure = address.speaks_tls if tls is None else tls
        settings: dict[str, Any] = {
            "host": address.host,
            "port": address.ports.tls if secure else address.ports.plain,
            "socket_timeout": seconds,
            "socket_connect_timeout": ANSWER_SECONDS,
            "retry": Retry(NoBackoff(), 0),  # `_call` does it, and a look must not
            "decode_responses": True,
            "encoding_errors": "surrogateescape",  # keys are any bytes
            "protocol": 2,
            "driver_info": None,
        }
        if login is not None:
            user, password = login
            settings |= {"username": user, "password": password.reveal}
        if secure:
            settings |= {"connection_class": _TlsConnection, "context": self.context}
        return redis.Redis.from_pool(redis.ConnectionPool(**settings))


def trusting(authority: bytes) -> ssl.SSLContext:
    """Trust what an authority signed, for whatever name: all of it is the emulator's.

    Containers are reached at addresses, and those are in no certificate.
    """
    context = ssl.create_default_context(cadata=authority.decode())
    context.check_hostname = False
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context


def call(command: Callable[[], _Answer]) -> _Answer:
    """Run one command, again while the connection is lost; translate errors."""
    again = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(_LOST),
        stop=tenacity.stop_after_delay(RETRY_SECONDS),
        wait=tenacity.wait_random_exponential(multiplier=0.05, max=0.5),
        reraise=True,
    )
    try:
        return again(command)
    except redis.RedisError as error:
        raise TransientError(f"the server refused or was lost: {error}") from error


def await_end(busy: Callable[[], bool]) -> None:
    """Ask until a server is no longer busy writing; `TransientError` if it stays so."""
    again = tenacity.Retrying(
        retry=tenacity.retry_if_result(bool),
        stop=tenacity.stop_after_delay(SAVE_SECONDS),
        wait=tenacity.wait_fixed(LOOK_SECONDS),
        retry_error_callback=lambda _: True,
    )
    if again(call, busy):
        raise TransientError("the server is still writing its data down")


class _TlsConnection(redis.Connection):
    """One that shares its context: redis-py's own loads all public roots each time."""

    def __init__(self, *, context: ssl.SSLContext, **settings: Any) -> None:  # noqa: ANN401 (redis-py's)
        super().__init__(**settings)  # type: ignore[no-untyped-call]  # redis-py's typing is unfinished
        self._context = context

    def _connect(self) -> ssl.SSLSocket:
        return self._context.wrap_socket(super()._connect())  # type: ignore[no-untyped-call]  # as above

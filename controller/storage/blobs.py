"""Dumps in storage accounts: Put Blob and Get Blob, authorized by a SAS.

Note [No library for blobs]
~~~~~~~~~~~~~~~~~~~~~~~~~~~
azure-storage-blob was tried for these two requests. Its download cannot be bounded:
it holds up to 32 MB in memory, more if the server says so, has no deadline, and wants
``Content-Range``, which no plain web server sends. It costs 7 MB and 100 ms to
import, and three packages. The tests use it as the other side.

Note [No signature in an error]
~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
The errors of requests and urllib3 quote the address with its query. So ours are not
chained to them, and take over only what the operating system says.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import requests
import tenacity
import urllib3

from controller.errors import ErrandError
from controller.places import Remote
from controller.storage import files
from controller.storage.limits import Deadline, Limits

ATTEMPTS = 3
VERSION = "2019-12-12"  # of the REST API: the first that takes a large blob at once

_UNREACHABLE = "StorageUnreachable"
_BUSY = "StorageBusy"
_CODE = re.compile(r"[A-Za-z]{1,60}")


def put(place: Remote, source: Path, limits: Limits) -> None:
    """Upload a file as a block blob, whole or not at all. Raises `ErrandError`."""
    deadline = Deadline.after(limits.dump_seconds)

    def attempt() -> None:
        with files.reported(source):
            file = _Upload(source, deadline, str(place))
        with file, _answer("PUT", place, limits, file) as response:
            _check(place, response, "ContainerNotFound")

    _patiently(attempt, deadline)


def get(place: Remote, target: Path, most_bytes: int, limits: Limits) -> None:
    """Download a blob to a file, whole or not at all. Raises `ErrandError`."""
    deadline, where = Deadline.after(limits.dump_seconds), str(place)

    def attempt() -> None:
        with _answer("GET", place, limits) as response:
            _check(place, response, "BlobNotFound")
            files.check_size(_announced(response), most_bytes, where)
            files.keep(_body(response, deadline, where), target, most_bytes, where)

    _patiently(attempt, deadline)


class _Upload(io.FileIO):
    """A file that can be read until the deadline."""

    def __init__(self, source: Path, deadline: Deadline, where: str) -> None:
        super().__init__(source)
        self._deadline = deadline
        self._where = where

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on, or raise `ErrandError`."""
        self._deadline.check(self._where)
        return super().read(-1 if size is None else size)


def _patiently(attempt: Callable[[], None], deadline: Deadline) -> None:
    again = tenacity.Retrying(
        retry=tenacity.retry_if_exception(_passes),
        stop=tenacity.stop_after_attempt(ATTEMPTS)
        | tenacity.stop_before_delay(deadline.left),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=2),
        reraise=True,
    )
    again(attempt)


def _passes(error: BaseException) -> bool:
    return isinstance(error, ErrandError) and error.reason in {
        _UNREACHABLE,
        _BUSY,
    }


@contextmanager
def _answer(
    method: str, place: Remote, limits: Limits, body: IO[bytes] | None = None
) -> Iterator[requests.Response]:
    """Send a request, and give the answer before its body has come.

    A redirection is an answer, too: who is asked is what the user has said.
    """
    headers = {"x-ms-version": VERSION, "Accept-Encoding": "identity"}
    if body is not None:
        headers |= {
            "Content-Type": "application/octet-stream",
            "x-ms-blob-type": "BlockBlob",
        }
    with (
        _translated(place, limits),
        requests.Session() as session,
        session.request(
            method,
            place.url,
            headers=headers,
            data=body,
            timeout=(limits.connect_seconds, limits.silence_seconds),
            allow_redirects=False,
            auth=_as_it_is,
            stream=True,
        ) as response,
    ):
        yield response


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Keep requests from adding a password of the user's ``.netrc``."""
    return request


def _announced(response: requests.Response) -> int:
    length = response.headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else 0


def _body(
    response: requests.Response, deadline: Deadline, where: str
) -> Iterator[bytes]:
    """Read as it comes: a piece that is waited for would outlast any deadline."""
    while piece := response.raw.read1(files.PIECE_BYTES, decode_content=False):
        deadline.check(where)
        yield piece


@contextmanager
def _translated(place: Remote, limits: Limits) -> Iterator[None]:
    """See Note [No signature in an error]."""
    try:
        yield
    except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
        raise ErrandError(
            _UNREACHABLE,
            f"{place} cannot be reached: {_why(error, limits)}. See that the storage "
            "runs, and that this machine finds and trusts it; REQUESTS_CA_BUNDLE names "
            "a file of authorities",
        ) from None


def _why(error: BaseException, limits: Limits) -> str:
    match error:
        case requests.ConnectTimeout():
            return f"no connection within {limits.connect_seconds:g} s"
        case requests.Timeout() | urllib3.exceptions.TimeoutError():
            return f"it was silent for {limits.silence_seconds:g} s"
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return "the connection was lost, or its answer is no HTTP"


def _check(place: Remote, response: requests.Response, missing: str) -> None:
    """Raise `ErrandError` for an answer that is no success."""
    code = _CODE.fullmatch(response.headers.get("x-ms-error-code", ""))
    named = code[0] if code else "no code"
    told = f"it answers {response.status_code} ({named})"
    match response.status_code:
        case 200 | 201:
            return
        case 401 | 403:
            raise ErrandError(
                "AuthorizationFailure",
                f"{place} does not let the cache in: {told}. Give a SAS that has not "
                "expired, of this container or blob, with permission to read for an "
                "import, and to create and write for an export",
            )
        case 404:
            found = {"BlobNotFound", "ContainerNotFound"} & {named}
            raise ErrandError(
                found.pop() if found else missing,
                f"{place} is not there: {told}. Create the container or the blob "
                "first, or correct its name",
            )
        case 408 | 429 | 500 | 502 | 503 | 504:
            raise ErrandError(
                _BUSY, f"{place} is not able to serve: {told}. Try again later"
            )
        case _:
            raise ErrandError(
                "StorageRefused",
                f"{place} refuses it: {told}. Give the address of a block blob or of "
                "its container, as the storage account shows it",
            )

"""One port serves HTTP and HTTPS, and changes no byte of either."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
from collections.abc import Callable, Iterator

import pytest
import structlog

from tests.emulator import eventually
from tests.wire.fronts import (
    GET,
    MEBIBYTE,
    PIECE,
    Client,
    Rig,
    both_schemes,
    certified,
    large,
    piece,
    serving,
    trusting,
)


@pytest.fixture(scope="module")
def rig() -> Iterator[Rig]:
    """Serve, with the usual limits."""
    with serving() as rig:
        yield rig


def post(body: bytes, head: bytes = b"") -> bytes:
    """Write a request whose answer is its own body."""
    lines = b"POST /echo HTTP/1.1\r\nHost: localhost\r\n" + head
    return lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


def in_chunks(body: bytes) -> bytes:
    """Write the same, in chunks of a size that fits nothing."""
    head = (
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    pieces = [body[at : at + 12_345] for at in range(0, len(body), 12_345)]
    return head + b"".join(b"%x\r\n%b\r\n" % (len(it), it) for it in [*pieces, b""])


@both_schemes
def test_absolute_urls_are_those_the_client_used(rig: Rig, scheme: str) -> None:
    """Scheme and host are right in each request of a connection, whoever lies."""
    with rig.connect(scheme) as client:
        for host in (b"localhost", b"my-host.localhost:4577", b"127.0.0.1"):
            request = b"GET /url HTTP/1.1\r\nHost: %b\r\nX-Forwarded-Proto: ftp\r\n\r\n"
            url = f"{scheme}://{host.decode()}/url"
            assert client.ask(request % host) == (200, url.encode())


@both_schemes
@pytest.mark.parametrize("framed", [post, in_chunks])
@pytest.mark.parametrize("size", [0, 1, 65_537, MEBIBYTE])
def test_bodies_pass_unchanged(
    rig: Rig, scheme: str, framed: Callable[[bytes], bytes], size: int
) -> None:
    """Random bytes come back as they were, up to a mebibyte, both ways of framing."""
    body = os.urandom(size)
    with rig.connect(scheme) as client:
        assert client.ask(framed(body)) == (200, body)
        assert client.ask()[0] == 200


@both_schemes
def test_pipelined_requests_are_answered_in_order(rig: Rig, scheme: str) -> None:
    """Requests that are sent at once are answered one after the other."""
    bodies = [b"%d" % number * number for number in range(50)]
    with rig.connect(scheme) as client:
        client.send(b"".join(map(post, bodies)))
        assert [client.answer() for _ in bodies] == [(200, it) for it in bodies]


@both_schemes
def test_the_end_of_an_answer_does_not_wait(rig: Rig, scheme: str) -> None:
    """No part of an answer is held back until the client confirms an earlier one."""
    with rig.connect(scheme) as client:
        assert client.ask()[0] == 200
        for each in tuple(rig.server._front._clients):
            assert each.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@both_schemes
def test_a_request_may_come_byte_by_byte(rig: Rig, scheme: str) -> None:
    """The first byte may come alone, and so may all others."""
    with rig.connect(scheme) as client:
        for byte in post(b"slow"):
            client.send(bytes([byte]))
        assert client.answer() == (200, b"slow")


def test_a_client_may_end_its_stream_behind_its_request(rig: Rig) -> None:
    """A client that has nothing more to say still gets its answer, and the end."""
    with rig.connect("http") as client:
        client.send(GET + b"GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.sock.shutdown(socket.SHUT_WR)
        assert rig.desk.asked.acquire(timeout=20)
        rig.desk.may_answer.set()
        assert client.answer()[0] == 200
        assert client.answer() == (200, b"at last: /wait")
        assert client.is_closed()


def test_an_offer_of_another_protocol_is_not_taken_up() -> None:
    """A client that offers HTTP/2, as Java's does, is served HTTP/1.1 for as long."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    with (
        serving(head_seconds=0.3, body_seconds=0.1) as rig,
        rig.connect("http") as client,
        rig.connect("http") as silent,
    ):
        assert client.ask(post(b"one", offer)) == (200, b"one")
        assert silent.is_closed()  # which shows that every deadline is over
        assert client.ask(post(b"two", offer)) == (200, b"two")


def test_a_client_may_wait_before_it_sends_its_body(rig: Rig) -> None:
    """``Expect: 100-continue`` is answered before the body is sent."""
    head, body = post(b"body", b"Expect: 100-continue\r\n").split(b"\r\n\r\n")
    with rig.connect("https") as client:
        client.send(head + b"\r\n\r\n")
        assert client.sock.recv(MEBIBYTE) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert client.ask(body) == (200, b"body")


@both_schemes
def test_the_last_answer_arrives_whole(scheme: str) -> None:
    """A client that reads late gets all of an answer that ends its connection.

    Of these sizes, some fit what the kernel holds, some what the front holds as well.
    """
    sizes = range(MEBIBYTE // 4, 8 * MEBIBYTE, MEBIBYTE // 4)
    with serving() as rig, contextlib.ExitStack() as kept:
        clients = [kept.enter_context(rig.connect(scheme)) for _ in sizes]
        for client, size in zip(clients, sizes, strict=True):
            client.send(large(size, b"Connection: close\r\n"))
        eventually(rig.desk.is_stalled)
        for client, size in zip(clients, sizes, strict=True):
            expected = b"".join(map(piece, range(size // PIECE)))
            assert client.answer() == (200, expected)
            assert client.is_closed()


@both_schemes
def test_too_large_a_body_is_refused_in_words(rig: Rig, scheme: str) -> None:
    """The refusal reaches a client that sends all of a body before it reads."""
    body = post(bytes(9 * MEBIBYTE))
    for _ in range(10):  # both sides hurry, and either may be first
        with rig.connect(scheme) as client:
            status, answer = client.ask(body)
            code = json.loads(answer)["error"]["code"]
            assert (status, code) == (413, "RequestEntityTooLarge")
            assert client.is_closed()


@pytest.mark.parametrize(
    "nonsense",
    [
        b"oops\r\n\r\n",
        b"GET /url HTTP/1.1\r\nno colon\r\n\r\n",
        bytes(range(1, 32)) + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_in_words(rig: Rig, nonsense: bytes) -> None:
    """Bytes that are no request get an error in ARM's envelope, and the end."""
    with rig.connect("http") as client:
        status, answer = client.ask(nonsense)
        assert status == 400
        assert json.loads(answer)["error"]["code"] == "BadRequest"
        assert client.is_closed()


def test_a_refused_client_that_leaves_is_not_waited_for() -> None:
    """A client may go when it was refused; `serving` tells if the server waits."""
    with serving(linger_seconds=600) as rig, rig.connect("http") as client:
        assert client.ask(b"oops\r\n\r\n")[0] == 400


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_of_today_is_spoken(rig: Rig, version: ssl.TLSVersion) -> None:
    """TLS 1.2 and 1.3 are spoken, and HTTP/1.1 chosen where a client offers more."""
    context = trusting()
    context.minimum_version = context.maximum_version = version
    context.set_alpn_protocols(["h2", "http/1.1"])
    with context.wrap_socket(rig.tcp(), server_hostname="localhost") as client:
        assert client.selected_alpn_protocol() == "http/1.1"
        assert Client(client).ask() == (200, b"https://localhost/url")


def test_a_client_that_does_not_trust_us_is_told_of(rig: Rig) -> None:
    """A client without the authority's certificate leaves a line in the log."""
    with structlog.testing.capture_logs() as lines:
        with pytest.raises(ssl.SSLCertVerificationError), rig.tcp() as raw:
            ssl.create_default_context().wrap_socket(raw, server_hostname="localhost")
        eventually(lambda: lines)
    line = lines[0]
    assert line["event"] == "front.tls_failed"
    assert line["reason"] == "TLSV1_ALERT_UNKNOWN_CA"


def test_a_new_certificate_takes_over(rig: Rig) -> None:
    """New connections get the new certificate, and old ones live on."""
    with rig.connect("https") as old:
        rig.server.reload_certificate(certified())
        with rig.connect("https") as new:
            assert new.ask()[0] == 200
            assert new.certificate() != old.certificate()
        assert old.ask()[0] == 200

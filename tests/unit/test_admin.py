"""The controller's own connection to a server, on one that is only pretended."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from controller import acl
from controller.admin import RedisAdmin
from controller.errors import TransientError
from controller.model import Ports
from controller.nodes import Node
from controller.spec import Secret
from tests import builders as b

PATIENCE_SECONDS = 10.0
USERS = acl.wanted_users(b.SPEC, b.ADMIN, {}, restricted=False)


class Pretended(socketserver.ThreadingTCPServer):
    """A server that says OK to everything but what it is told to refuse."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Client)
        self.told: list[str] = []
        self.refuses = ""
        self.drops = ""  # the command at which it ends a connection, once
        self.left = threading.Semaphore(0)  # one for each client that went away

    @property
    def node(self) -> Node:
        """Itself, as a backend reports it."""
        _host, port = self.socket.getsockname()
        address = b.address(Ports(plain=port, tls=port))
        return replace(b.node(), address=replace(address, speaks_tls=False))


class _Client(socketserver.StreamRequestHandler):
    server: Pretended

    def handle(self) -> None:
        while header := self.rfile.readline():
            words = [self._word() for _ in range(int(header[1:]))]
            command = " ".join(words[:2]).upper()
            self.server.told.append(command)
            if command == self.server.drops:
                self.server.drops = ""
                return
            refused = command == self.server.refuses
            answer = b"*0\r\n" if command == "ACL LIST" else b"+OK\r\n"
            self.wfile.write(b"-ERR no space left\r\n" if refused else answer)
        self.server.left.release()

    def _word(self) -> str:
        size = int(self.rfile.readline()[1:])
        return self.rfile.read(size + 2)[:-2].decode()


@pytest.fixture
def server() -> Iterator[Pretended]:
    """Give a server that listens."""
    with Pretended() as pretended:
        threading.Thread(target=pretended.serve_forever, daemon=True).start()
        yield pretended
        pretended.shutdown()


@pytest.fixture
def admin() -> Iterator[RedisAdmin]:
    """Give an admin, and end its connection."""
    admin = RedisAdmin(
        Secret("instance"), b.AUTHORITY.certificate_pem, restricted=False
    )
    yield admin
    admin.forget(b.NODE)


def test_users_that_cannot_be_saved_are_not_left_in_force(
    server: Pretended, admin: RedisAdmin
) -> None:
    """A rotation that a restart of the server would undo does not pass for done."""
    server.refuses = "ACL SAVE"
    with pytest.raises(TransientError, match="no space left"):
        admin.apply_users(server.node, USERS, frozenset())
    assert server.told[-2:] == ["ACL LOAD", "RESET"]


def test_users_are_sent_again_when_the_connection_is_lost(
    server: Pretended, admin: RedisAdmin
) -> None:
    """A second attempt sends all that the first one did."""
    server.drops = "ACL SETUSER"
    admin.apply_users(server.node, USERS, frozenset())
    sent = ["ACL SETUSER", "ACL SETUSER", "ACL SAVE", "ACL LIST", "RESET"]
    assert server.told[-5:] == sent


def test_users_that_are_saved_are_not_loaded_again(
    server: Pretended, admin: RedisAdmin
) -> None:
    """A load would end the connections of users that nobody changed."""
    admin.apply_users(server.node, USERS, frozenset({"eve"}))
    assert server.told[-4:] == ["ACL DELUSER", "ACL SAVE", "ACL LIST", "RESET"]


@pytest.mark.parametrize("how", ["forgotten", "replaced"])
def test_a_connection_ends_with_its_server(
    server: Pretended, admin: RedisAdmin, how: str
) -> None:
    """No connection outlives the server that it was made for."""
    admin.apply_settings(server.node, {"maxclients": "256"})
    if how == "forgotten":
        admin.forget(b.NODE)
    else:
        later = replace(server.node, uid="uid-2")
        admin.apply_settings(later, {"maxclients": "256"})
    assert server.left.acquire(timeout=PATIENCE_SECONDS)

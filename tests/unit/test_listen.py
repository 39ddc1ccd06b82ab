"""The address that the API listens on, and why it cannot be had."""

from __future__ import annotations

import os
import socket

import pytest

from api.listen import CannotListenError, listen


def test_a_port_in_use_is_explained() -> None:
    """Whoever starts a second emulator learns which process has the port."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        with pytest.raises(CannotListenError) as refused:
            listen("127.0.0.1", port)
    words = str(refused.value)
    assert f"127.0.0.1:{port} cannot be listened on" in words
    assert f"process {os.getpid()}" in words
    assert "FLOCI_AZ_PORT" in words


def test_an_unknown_host_is_explained() -> None:
    """A host that does not exist is named, with the setting that names it."""
    with pytest.raises(CannotListenError, match=r"nowhere\.invalid:1 .*FLOCI_AZ_HOST"):
        listen("nowhere.invalid", 1)


def test_what_is_listened_on_can_be_connected_to() -> None:
    """A free port is taken at once."""
    with listen("127.0.0.1", 0) as listener:
        socket.create_connection(listener.getsockname()).close()

"""The one address that the API listens on."""

from __future__ import annotations

import errno
import os
import socket

import psutil

BACKLOG = 1024  # terraform opens a connection for each request


class CannotListenError(Exception):
    """The address cannot be listened on; the message says why and what to set."""


def listen(host: str, port: int) -> socket.socket:
    """Take the address, or raise `CannotListenError`."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        where = (str(address[0]), port)
        return socket.create_server(where, family=family, backlog=BACKLOG)
    except OSError as error:
        reason = error.strerror
        if error.errno == errno.EADDRINUSE:
            reason = f"{os.strerror(error.errno)}{_holder(port)}"
        raise CannotListenError(
            f"{host}:{port} cannot be listened on: {reason}. "
            "Name another address with FLOCI_AZ_HOST and FLOCI_AZ_PORT"
        ) from error


def _holder(port: int) -> str:
    """Name the process that listens on a port, as far as we may see it."""
    try:
        for each in psutil.net_connections("tcp"):
            listens = each.status == psutil.CONN_LISTEN
            if listens and each.pid and each.laddr and each.laddr.port == port:
                return f" by process {each.pid} ({psutil.Process(each.pid).name()})"
    except psutil.Error:  # somebody else's process, or gone by now
        pass
    return ""

"""Servers as processes of this machine."""

from controller.backends.process.backend import ProcessBackend
from controller.backends.process.binary import find_binary

__all__ = ["ProcessBackend", "find_binary"]

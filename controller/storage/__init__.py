"""Carry dumps between this machine and where users keep them; see Note [Places]."""

from controller.storage.dumps import Storage
from controller.storage.limits import Limits

__all__ = ["Limits", "Storage"]

"""Errors of the controller, one class per decision the caller can take."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from controller.model import CacheKey


class ControllerError(Exception):
    """Base of every error raised on purpose in this package."""


class TransientError(ControllerError):
    """Trying again soon can help: engine busy, server still starting."""


class TerminalError(ControllerError):
    """Only somebody's help can end this: no such image, a name that is taken.

    ``reason`` is a word in CamelCase, for programs; the message says what, why and
    what to do. The round is repeated all the same, slowly, because the cause can
    go away.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ErrandError(ControllerError):
    """An errand was in vain, and trying again cannot help: no such file to import.

    ``reason`` and the message are as in `TerminalError`; no message shows what opens a
    storage account.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class PortTakenError(ControllerError):
    """Another program holds the node's host port; the caller picks another."""

    def __init__(self, port: int, cause: str) -> None:
        super().__init__(f"port {port} is taken by another program: {cause}")
        self.port = port


class CacheNotFoundError(ControllerError):
    """No cache has this key."""

    def __init__(self, key: CacheKey) -> None:
        super().__init__(f"no cache {key.name!r} in resource group {key.group!r}")
        self.key = key


class NameTakenError(ControllerError):
    """The name belongs to a cache in another group or subscription."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the name {name!r} belongs to another cache")
        self.name = name


class BusyError(ControllerError):
    """An earlier write is still being carried out; ask again later."""

    def __init__(self, key: CacheKey) -> None:
        super().__init__(f"cache {key.name!r} is busy with an earlier request")
        self.key = key


class StorageError(ControllerError):
    """What should outlive the process could not be written down, and was not done."""

    def __init__(self, path: str, cause: str) -> None:
        super().__init__(
            f"{path} could not be written: {cause}. Nothing was changed; make room for "
            "it and ask again"
        )


class PortsExhaustedError(ControllerError):
    """Every port of the configured range belongs to a cache or a program."""

    def __init__(self, first: int, last: int, setting: str) -> None:
        super().__init__(
            f"no free port in {first}-{last}: each belongs to a cache or to another "
            f"program. Delete a cache, or widen the range with {setting}"
        )

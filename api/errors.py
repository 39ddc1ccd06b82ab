"""The one exception that carries an ARM error from where it is found to the client."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detail:
    """One mistake among several: ``target`` is a path such as ``properties.sku``."""

    code: str
    message: str
    target: str


class ArmError(Exception):
    """A refusal in ARM's words; nothing was changed.

    ``status`` is the HTTP status. ``gateway`` marks errors that ARM itself makes
    before a resource provider is asked: they carry no ``target`` and no request id.
    """

    def __init__(  # noqa: PLR0913 (the members of ARM's error envelope)
        self,
        status: int,
        code: str,
        message: str,
        *,
        target: str | None = None,
        details: tuple[Detail, ...] = (),
        gateway: bool = False,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.target = target
        self.details = details
        self.gateway = gateway

"""Which backend runs the caches, and why; part of the composition root.

Note [Never mocked by itself]
~~~~~~~~~~~~~~~~~~~~~~~~~~~~~
An emulator that quietly ran nothing would pass every test of somebody's deployment
and serve none of their data. Where nothing can run caches it does not start.
"""

from __future__ import annotations

from dataclasses import dataclass

from controller.admin import Admin, RedisAdmin
from controller.backends.base import Backend
from controller.backends.docker import DockerBackend
from controller.backends.mocked import MockedAdmin, MockedBackend, MockedEngine
from controller.backends.process import ProcessBackend, find_binary
from controller.certificates import Authority
from controller.errors import ControllerError
from controller.settings import Settings
from controller.statedir import Instance


class NoEngineError(Exception):
    """Nothing here can run a cache; the message says what could be installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A backend, what speaks to its servers, and why it was chosen."""

    backend: Backend
    admin: Admin
    why: str


def choose(settings: Settings, instance: Instance, authority: Authority) -> Engine:
    """Pick the backend that the settings name, or the best that works here.

    A daemon that is named and does not answer is waited for; ``auto`` takes what
    answers now. Raises `NoEngineError`; see Note [Never mocked by itself].
    """
    if settings.mocked or not settings.enabled:
        pretended = MockedEngine()
        return Engine(
            backend=MockedBackend(pretended, hostname=settings.hostname),
            admin=MockedAdmin(pretended),
            why="caches are mocked" if settings.enabled else "caches are turned off",
        )
    backend, why = _real(settings, instance)
    admin = RedisAdmin(
        instance.secret,
        authority.certificate_pem,
        restricted=settings.restrict_commands,
    )
    return Engine(backend=backend, admin=admin, why=why)


def _real(settings: Settings, instance: Instance) -> tuple[Backend, str]:
    docker = DockerBackend(
        instance=instance.id,
        hostname=settings.hostname,
        network=settings.docker_network,
    )
    match settings.backend:
        case "docker":
            return docker, "the settings name it"
        case "process":
            return _process(settings, instance, "the settings name it")
        case "auto":
            try:
                docker.probe()
            except ControllerError as error:
                docker.close()
                why = f"no Docker daemon can be used ({error})"
                return _process(settings, instance, why)
            return docker, "a Docker daemon answers"


def _process(
    settings: Settings, instance: Instance, why: str
) -> tuple[ProcessBackend, str]:
    binary = find_binary()
    if binary is None:
        raise NoEngineError(
            f"{why}, and there is no valkey-server or redis-server of version 7 or "
            "newer. Start Docker, or install valkey, or set "
            "FLOCI_AZ_SERVICES_REDIS_MOCKED=true to do without servers"
        )
    backend = ProcessBackend(
        instance=instance.id,
        directory=settings.state_directory / "nodes",
        hostname=settings.hostname,
        binary=binary,
    )
    return backend, why

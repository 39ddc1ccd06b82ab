"""Servers in containers of a Docker engine."""

from controller.backends.docker.backend import DockerBackend

__all__ = ["DockerBackend"]

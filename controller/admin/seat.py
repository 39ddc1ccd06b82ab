"""The one connection to a server that stays.

Note [The controller's seat]
~~~~~~~~~~~~~~~~~~~~~~~~~~~~
Users may list all connections of a server, and are not to see the controller's user.
But a server that is full of clients lets nobody in, and then no key could be rotated.
So there is one connection that stays, on which the controller signs in each time, and
out again with ``RESET``: meanwhile it is one of nobody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
from redis.client import Pipeline

from controller import acl
from controller.spec import Secret


@dataclass(frozen=True, slots=True)
class Seat:
    """Runs commands as the controller's own user; see Note [The controller's seat]."""

    client: redis.Redis
    password: Secret

    def lines(self) -> Pipeline:
        """Begin to write what `run` sends."""
        lines = self.client.pipeline(transaction=False)
        lines.execute_command("AUTH", acl.ADMIN_USER, self.password.reveal)
        return lines

    def run(self, lines: Pipeline) -> list[Any]:
        """Send lines, sign out, and give the answers, that to signing in first.

        redis-py adds the command to the text of an error, and one has the password.
        """
        lines.execute_command("RESET")
        answers = lines.execute(raise_on_error=False)[:-1]
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    def tell(self, *command: str) -> object:
        """Run one command, and give its answer."""
        lines = self.lines()
        lines.execute_command(*command)
        return self.run(lines)[-1]

    def info(self, section: str) -> Mapping[str, Any]:
        """Ask for a section of ``INFO``."""
        lines = self.lines()
        lines.info(section)
        return dict(self.run(lines)[-1])

    def is_last(self) -> bool:
        """Tell whether the server is full: it hangs up on others, without a word."""
        clients = self.info("clients")
        return bool(clients["connected_clients"] >= clients["maxclients"])

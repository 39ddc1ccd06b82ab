"""Answers with what azure-mgmt-redis returns; see `tests.e2e.driver`.

A call is the operation group, the method and its arguments; the call ``["operations"]``
lists what could be called. `DefaultAzureCredential` finds all it needs in the
environment. The only argument is the style of the client: ``sync`` or ``aio``.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
from collections.abc import AsyncIterable, Iterable
from typing import Any

from azure.core.exceptions import (  # type: ignore[import-not-found]  # in its own env
    AzureError,
    HttpResponseError,
)
from azure.core.polling import (  # type: ignore[import-not-found]  # in its own env
    AsyncLROPoller,
    LROPoller,
)
from azure.identity import (  # type: ignore[import-not-found]  # in its own env
    DefaultAzureCredential,
)
from azure.identity.aio import (  # type: ignore[import-not-found]  # in its own env
    DefaultAzureCredential as AsyncCredential,
)
from azure.mgmt.redis import (  # type: ignore[import-not-found]  # in its own env
    RedisManagementClient,
)
from azure.mgmt.redis.aio import (  # type: ignore[import-not-found]  # in its own env
    RedisManagementClient as AsyncClient,
)

CLIENTS = {
    "sync": (RedisManagementClient, DefaultAzureCredential),
    "aio": (AsyncClient, AsyncCredential),
}


async def answer(client: Any, group: str, method: str = "", *arguments: Any) -> Any:  # noqa: ANN401 (a client has no common type)
    """Make one call, and wait for what it begins."""
    if not method:
        return list(offered(client))
    result = getattr(getattr(client, group), method)(*arguments)
    if inspect.isawaitable(result):
        result = await result
    if isinstance(result, LROPoller):
        result = result.result()
    if isinstance(result, AsyncLROPoller):
        result = await result.result()
    return await plain(result)


async def plain(result: Any) -> Any:  # noqa: ANN401 (a result has no common type)
    """Turn a model, or a pager of models, into JSON."""
    if hasattr(result, "as_dict"):
        return result.as_dict()
    if isinstance(result, AsyncIterable):
        return [each.as_dict() async for each in result]
    if isinstance(result, Iterable):
        return [each.as_dict() for each in result]
    return result


def offered(client: object) -> Iterable[tuple[str, str]]:
    """Name every method of every operation group."""
    for group, value in vars(client).items():
        if type(value).__name__.endswith("Operations"):
            for method, _ in inspect.getmembers(value, inspect.ismethod):
                if not method.startswith("_"):
                    yield group, method


async def main(style: str) -> None:
    """Answer until the input ends."""
    client_type, credential_type = CLIENTS[style]
    base = os.environ["ARM_ENDPOINT"]
    client = client_type(
        credential_type(),
        os.environ["AZURE_SUBSCRIPTION_ID"],
        base_url=base,
        credential_scopes=[f"{base}/.default"],
    )
    for line in sys.stdin:
        try:
            reply = {"result": await answer(client, *json.loads(line))}
        except HttpResponseError as error:
            code = error.error.code if error.error else type(error).__name__
            reply = {"code": code, "message": str(error)}
        except AzureError as error:
            reply = {"code": type(error).__name__, "message": str(error)}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

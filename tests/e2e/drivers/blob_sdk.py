"""Answers with what azure-storage-blob does; see `tests.e2e.driver`.

A call is one of `CALLS` and its arguments. The arguments of the process are the address
of a storage account, its name and its key.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from azure.core.exceptions import (  # type: ignore[import-not-found]  # in its own env
    AzureError,
)
from azure.storage.blob import (  # type: ignore[import-not-found]  # in its own env
    BlobServiceClient,
    generate_blob_sas,
    generate_container_sas,
)

ADDRESS, ACCOUNT, KEY = sys.argv[1:]
SERVICE = BlobServiceClient(
    ADDRESS,
    {"account_name": ACCOUNT, "account_key": KEY},
    api_version="2021-12-02",  # Azurite refuses the newest ones
)


def create(container: str) -> None:
    """Make a container."""
    SERVICE.create_container(container)


def upload(container: str, name: str, path: str) -> None:
    """Make a blob of a file."""
    with Path(path).open("rb") as file:
        SERVICE.get_blob_client(container, name).upload_blob(file, overwrite=True)


def download(container: str, name: str, path: str) -> str:
    """Make a file of a blob, and name its type."""
    blob = SERVICE.get_blob_client(container, name)
    Path(path).write_bytes(blob.download_blob().readall())
    return str(blob.get_blob_properties().blob_type.value)


def container_sas(container: str, permission: str, hours: int) -> str:
    """Give the address of a container with a signature that ends in so many hours."""
    sas = generate_container_sas(
        ACCOUNT,
        container,
        account_key=KEY,
        permission=permission,
        expiry=datetime.now(UTC) + timedelta(hours=hours),
    )
    return f"{SERVICE.get_container_client(container).url}?{sas}"


def blob_sas(container: str, name: str, permission: str, hours: int) -> str:
    """Give the address of a blob, there or not, with such a signature."""
    sas = generate_blob_sas(
        ACCOUNT,
        container,
        name,
        account_key=KEY,
        permission=permission,
        expiry=datetime.now(UTC) + timedelta(hours=hours),
    )
    return f"{SERVICE.get_blob_client(container, name).url}?{sas}"


CALLS: Mapping[str, Callable[..., Any]] = {
    each.__name__: each for each in (create, upload, download, container_sas, blob_sas)
}


def main() -> None:
    """Answer until the input ends."""
    for line in sys.stdin:
        call, *arguments = json.loads(line)
        try:
            reply = {"result": CALLS[call](*arguments)}
        except AzureError as error:
            reply = {"code": type(error).__name__, "message": str(error)}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

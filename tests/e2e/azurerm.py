"""How Terraform's azurerm provider talks to Azure: its requests, and how it waits.

The provider itself cannot be had from a package registry. What it sends, which answers
it takes and which members it reads were observed of azurerm 3.117 to 5.2. What it would
only notice as a slow or an endless run is an error here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import jwt
import requests

from tests.emulator import Emulator, eventually

SUBSCRIPTION = "00000000-0000-0000-0000-0000000000af"
GROUP_VERSION = "2023-07-01"
CACHE_VERSION = "2024-11-01"
HURRY = "X-Go-Azure-Sdk-Skip-Polling-Delay"  # without it, 10 s before every first poll
LONGEST_TOKEN_REFRESH_SECONDS = 1200  # one that lives shorter is fetched for every call

HEADERS = {
    "Content-Type": "application/json; charset=utf-8",
    "User-Agent": "HashiCorp/go-azure-sdk (Go-http-Client/1.1) Terraform/1.11",
    "Accept-Encoding": "gzip",
}

Json = Mapping[str, Any]


class Azurerm:
    """A provider that is configured with a host, and any identity."""

    def __init__(self, emulator: Emulator) -> None:
        self._authority = str(emulator.directory / "ca.pem")
        host = emulator.secure
        self.metadata = self._get(f"{host}/metadata/endpoints?api-version=2022-09-01")
        self._configure()

    def _configure(self) -> None:
        """Do what the provider does before its first resource."""
        shown = self.metadata
        sign_in = shown["authentication"]
        assert shown["name"] != "AzureStackCloud"
        assert (sign_in["tenant"], sign_in["identityProvider"]) == ("common", "AAD")
        assert shown["suffixes"]["storage"]
        assert shown["suffixes"]["keyVaultDns"]
        self.resource_manager = shown["resourceManager"].rstrip("/")
        self.claims = self._token(shown["microsoftGraphResourceId"])
        self._token(self.resource_manager)

    def _token(self, audience: str) -> Json:
        """Sign in for an audience, and read the claims of its token."""
        login = self.metadata["authentication"]["loginEndpoint"]
        answer = requests.post(
            f"{login}/any-tenant/oauth2/v2.0/token",
            data={
                "client_id": "any",
                "client_secret": "any",
                "grant_type": "client_credentials",
                "scope": f"{audience}/.default",
            },
            verify=self._authority,
            timeout=30,
        ).json()
        assert int(answer["expires_in"]) > LONGEST_TOKEN_REFRESH_SECONDS
        self._authorization = f"{answer['token_type']} {answer['access_token']}"
        claims: Json = jwt.decode(
            answer["access_token"], options={"verify_signature": False}
        )
        return claims

    def send(
        self, method: str, path: str, body: object = None, *, takes: Collection[int]
    ) -> requests.Response:
        """Send one request on a connection of its own; other statuses are errors."""
        version = CACHE_VERSION if "/Microsoft.Cache/" in path else GROUP_VERSION
        answer = requests.request(
            method,
            path if path.startswith("http") else self.resource_manager + path,
            params=None if "api-version=" in path else {"api-version": version},
            json=body,
            headers={**HEADERS, "Authorization": self._authorization},
            verify=self._authority,
            timeout=30,
        )
        assert answer.status_code in takes, (method, path, answer.text)
        if answer.content:
            assert "application/json" in answer.headers["Content-Type"]
        return answer

    def find(self, path: str) -> Json | None:
        """Read a resource; ``None``: there is none."""
        answer = self.send("GET", path, takes=(200, 404))
        return answer.json() if answer.status_code == 200 else None

    def read(self, path: str) -> Json:
        """Read a resource that has to be there."""
        shown: Json = self.send("GET", path, takes=(200,)).json()
        return shown

    def create(self, path: str, body: Json) -> None:
        """Write a resource that must not be there yet, and wait as the answer says."""
        assert self.find(path) is None, "it already exists; import it"
        self.put(path, body)

    def put(self, path: str, body: Json) -> None:
        """Write a resource, and wait as the answer says."""
        answer = self.send("PUT", path, body, takes=(200, 201))
        assert answer.headers[HURRY] == "true"
        followed = answer.headers.get("Azure-AsyncOperation")
        location = answer.headers.get("Location")
        if followed is None and location and urlsplit(location).path != path:
            followed = location
        if followed is not None:
            self._follow(followed)
        elif "provisioningState" in answer.json().get("properties", {}):
            self.wait_for(path, pending=("Creating", "Updating"))

    def _follow(self, url: str) -> None:
        """Poll an operation: a state that it does not know is waited for for ever."""
        assert url.startswith("http"), "it takes no relative URLs"
        parts = urlsplit(url)

        def ended() -> bool:
            shown = self.read(f"{parts.path}?{parts.query}")
            assert shown["status"] in {"InProgress", "Succeeded"}
            return bool(shown["status"] == "Succeeded")

        eventually(ended)

    def wait_for(self, path: str, pending: Collection[str]) -> Json:
        """Read a resource until it is ready; a state it does not wait for is an error.

        The provider reads every 15 s: one that is ready at the first look is quick.
        """

        def ready() -> Json | None:
            shown = self.read(path)
            state = shown["properties"]["provisioningState"]
            assert state == "Succeeded" or state in pending, state
            return shown if state == "Succeeded" else None

        return eventually(ready)

    def delete(self, path: str, takes: Collection[int] = (200, 202, 204)) -> None:
        """Delete a resource, and read it until it is gone."""
        answer = self.send("DELETE", path, takes=takes)
        assert answer.headers[HURRY] == "true"
        eventually(lambda: self.find(path) is None)

    def _get(self, url: str) -> Json:
        answer = requests.get(url, verify=self._authority, timeout=30)
        assert answer.status_code == 200, answer.text
        shown: Json = answer.json()
        return shown

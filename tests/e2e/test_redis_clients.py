"""Every Redis client works against a cache, encrypted and plain, with every login."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.e2e import batteries, relay
from tests.e2e.batteries import CLIENTS, Battery
from tests.e2e.endpoint import Endpoint

pytestmark = pytest.mark.docker

COMMANDS = 10_000  # in a pipeline, as in the drivers
COMMAND_LINES = frozenset({"redis-cli", "valkey-cli"})
NOT_TRUSTED = re.compile("certificate|PKIX path building failed")
OTHER_NAME = re.compile(
    "not valid for|is valid for|IP SANs|altnames|No subject alternative names matching"
)


@pytest.fixture(scope="session")
def stranger(cache_endpoint: Endpoint) -> Iterator[str]:
    """Lead to the cache by a name that its certificate does not have."""
    with relay.relaying(cache_endpoint.host, cache_endpoint.tls_port) as address:
        yield address


@pytest.fixture(scope="session", params=CLIENTS)
def client(request: pytest.FixtureRequest) -> str:
    """Name a client; all its tests follow each other."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def battery(
    client: str,
    cache_endpoint: Endpoint,
    stranger: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Battery:
    """Have the client take all steps, once."""
    folder = tmp_path_factory.mktemp(client)
    with CLIENTS[client](cache_endpoint, folder) as command:
        return batteries.run(command, cache_endpoint, stranger)


transports = pytest.mark.parametrize("transport", ["tls", "plain"])


@transports
@pytest.mark.parametrize("way", ["key", "default", "secondary", "entra"])
def test_a_login_is_let_in(battery: Battery, transport: str, way: str) -> None:
    """Both keys open the cache, with and without the name, and so does a token."""
    outcome = battery.outcome(f"{transport}-{way}")
    assert outcome.ok, outcome.detail
    assert outcome.detail == "PONG"


@transports
@pytest.mark.parametrize("way", ["wrong-key", "wrong-token"])
def test_a_wrong_password_is_refused(
    battery: Battery, transport: str, way: str
) -> None:
    """No other password opens it, and the client hears why."""
    outcome = battery.outcome(f"{transport}-{way}")
    assert not outcome.ok, outcome.detail
    assert "invalid username-password pair" in outcome.detail


def test_the_authority_has_to_be_trusted(battery: Battery) -> None:
    """Without the CA file the client does not connect: with it, it was checked."""
    outcome = battery.outcome("tls-no-ca")
    assert not outcome.ok, outcome.detail
    assert NOT_TRUSTED.search(outcome.detail), outcome.detail


def test_the_name_is_checked(battery: Battery, client: str) -> None:
    """By a name that the certificate lacks, none connects of those who look at it."""
    outcome = battery.outcome("tls-stranger")
    if client in COMMAND_LINES:  # they look at who signed, and no further
        assert outcome.ok, outcome.detail
    else:
        assert not outcome.ok, outcome.detail
        assert OTHER_NAME.search(outcome.detail), outcome.detail


@transports
@pytest.mark.parametrize(
    ("step", "answer"),
    [
        pytest.param("binary", bytes(range(256)).hex(), id="get-what-was-set"),
        pytest.param("expiry", pytest.approx(98, abs=2), id="time-to-live"),
        pytest.param("transaction", [1, 2], id="multi-exec"),
        pytest.param("watch", None, id="multi-exec-of-what-has-changed"),
        pytest.param("script", [1, "argument"], id="eval"),
        pytest.param("stream", [{"field": "value"}, 1], id="stream-read-by-a-group"),
        pytest.param("pubsub", "message", id="publish-subscribe"),
    ],
)
def test_commands_work(
    battery: Battery, transport: str, step: str, answer: object
) -> None:
    """Each kind of command answers as it does on Azure."""
    outcome = battery.outcome(f"{transport}-{step}")
    assert outcome.ok, outcome.detail
    assert outcome.detail == answer


@transports
def test_a_long_pipeline_is_answered_in_order(
    battery: Battery, client: str, transport: str
) -> None:
    """Ten thousand commands at once have ten thousand answers."""
    outcome = battery.outcome(f"{transport}-pipeline")
    assert outcome.ok, outcome.detail
    if client in COMMAND_LINES:  # they count the answers, and do not show them
        wanted = {"count": COMMANDS, "errors": 0, "replies": COMMANDS}
        assert outcome.detail == wanted
    else:
        assert outcome.detail == list(range(1, COMMANDS + 1))


@transports
def test_what_azure_refuses_is_an_error(battery: Battery, transport: str) -> None:
    """CONFIG is unknown, and the client says so; see test_command_matrix for all."""
    outcome = battery.outcome(f"{transport}-config")
    assert not outcome.ok, outcome.detail
    assert "unknown command" in outcome.detail

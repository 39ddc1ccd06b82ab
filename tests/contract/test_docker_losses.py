"""What the docker backend makes of requests and replies that get lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from controller.errors import TransientError
from controller.model import CacheKey
from controller.nodes import Phase
from tests.contract.docker_rig import DockerRig, docker_backend, docker_rig
from tests.contract.lossy_engine import LossyEngine, lossy_engine
from tests.contract.rigs import NODE, eventually

CREATE_NETWORK = r"POST /\S+/networks/create"
CREATE = r"POST /\S+/containers/create"
UNPACK = r"PUT /\S+/containers/\w+/archive"
START = r"POST /\S+/containers/\w+/start"
UNPAUSE = r"POST /\S+/containers/\w+/unpause"
REMOVE = r"DELETE /\S+/containers/"
REMOVE_NETWORK = r"DELETE /\S+/networks/"


@pytest.fixture
def lossy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LossyEngine]:
    """Put a lossy line between the daemon and every client that is made from now."""
    with lossy_engine(tmp_path) as engine:
        monkeypatch.setenv("DOCKER_HOST", f"unix://{engine.server_address}")
        yield engine


@pytest.fixture
def rig(lossy: LossyEngine, tmp_path: Path) -> Iterator[DockerRig]:
    """Give the docker backend at the end of the lossy line."""
    assert lossy.requests == []
    with docker_rig(tmp_path) as rig:
        yield rig


def nothing(_rig: DockerRig) -> None:
    """Begin without a container."""


def running(rig: DockerRig) -> None:
    """Begin with a server that answers."""
    rig.backend.create(NODE, rig.spec())
    rig.serving(NODE)


def stopped(rig: DockerRig) -> None:
    """Begin with a server that was killed."""
    running(rig)
    rig.stop(NODE)
    eventually(lambda: rig.node(NODE).phase is Phase.STOPPED)


def paused(rig: DockerRig) -> None:
    """Begin with a frozen server."""
    running(rig)
    rig.pause(NODE)


def create(rig: DockerRig) -> None:
    """Create the node."""
    rig.backend.create(NODE, rig.spec())


def start(rig: DockerRig) -> None:
    """Start the node."""
    rig.backend.start(NODE, keep_data=False)


def remove(rig: DockerRig) -> None:
    """Remove the node."""
    rig.backend.remove(NODE)


def remove_all(rig: DockerRig) -> None:
    """Remove the node, and then the network."""
    rig.backend.remove(NODE)
    rig.backend.clean_up()


Step = Callable[[DockerRig], None]


@pytest.mark.docker
@pytest.mark.parametrize(
    ("before", "act", "lost"),
    [
        pytest.param(nothing, create, CREATE_NETWORK, id="create the network"),
        pytest.param(nothing, create, CREATE, id="create"),
        pytest.param(nothing, create, START, id="start a new one"),
        pytest.param(stopped, start, START, id="start an old one"),
        pytest.param(paused, start, UNPAUSE, id="unpause"),
        pytest.param(running, remove, REMOVE, id="remove"),
        pytest.param(running, remove_all, REMOVE_NETWORK, id="remove the network"),
    ],
)
def test_a_lost_reply_is_made_up_for(
    rig: DockerRig, lossy: LossyEngine, before: Step, act: Step, lost: str
) -> None:
    """What the daemon has done is seen, and is not done a second time."""
    before(rig)
    done = lossy.count(lost)
    lossy.lose("reply", lost)

    act(rig)

    assert lossy.count(lost) == done + 1
    if act in {create, start}:
        rig.serving(NODE)
    else:
        assert rig.backend.list() == {}


@pytest.mark.docker
@pytest.mark.parametrize(
    ("before", "act", "lost"),
    [
        pytest.param(nothing, create, CREATE, id="create"),
        pytest.param(stopped, start, START, id="start"),
        pytest.param(running, remove, REMOVE, id="remove"),
    ],
)
def test_a_lost_request_is_left_to_the_next_round(
    rig: DockerRig, lossy: LossyEngine, before: Step, act: Step, lost: str
) -> None:
    """What the daemon has not done is a `TransientError`, and works the next time."""
    before(rig)
    lossy.lose("request", lost)
    with pytest.raises(TransientError):
        act(rig)

    act(rig)

    if act is remove:
        assert rig.backend.list() == {}
    else:
        rig.serving(NODE)


@pytest.mark.docker
def test_lost_files_are_sent_again(rig: DockerRig, lossy: LossyEngine) -> None:
    """Files may be put into a container twice, so that needs no second round."""
    lossy.lose("request", UNPACK)

    rig.backend.create(NODE, rig.spec())

    rig.serving(NODE)
    assert lossy.count(UNPACK) == 2


@pytest.mark.docker
def test_a_question_is_asked_again(rig: DockerRig, lossy: LossyEngine) -> None:
    """A connection that is lost once does not make a look fail."""
    rig.backend.create(NODE, rig.spec())
    lossy.lose("reply", r"GET /\S+/containers/json")

    assert set(rig.backend.list()) == {NODE}


@pytest.mark.docker
def test_an_ended_stream_ends_the_watch(rig: DockerRig, lossy: LossyEngine) -> None:
    """A daemon that goes away is no silence for ever."""

    def ignore(_cache: CacheKey) -> None: ...

    def ended() -> bool:
        lossy.cut()
        return watching.done()

    with ThreadPoolExecutor(1) as pool:
        watching = pool.submit(rig.backend.watch, ignore)
        eventually(lambda: lossy.count("/events"))
        eventually(ended)

    assert isinstance(watching.exception(), TransientError | None)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param(lambda backend: backend.probe(), id="probe"),
        pytest.param(lambda backend: backend.list(), id="list"),
        pytest.param(lambda backend: backend.watch(print), id="watch"),
    ],
)
def test_a_daemon_that_is_down_is_waited_for(
    call: Callable[..., object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a daemon a backend can be made; its calls say what to start or set."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    backend = docker_backend("nobody")

    with pytest.raises(TransientError, match=r"none\.sock .* DOCKER_HOST"):
        call(backend)

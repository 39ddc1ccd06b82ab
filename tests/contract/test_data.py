"""What becomes of a node's data; see `controller.backends.base`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from controller.errors import TransientError
from controller.nodes import NodeSpec, Phase
from tests.contract.rigs import NODE, OTHER, Rig, eventually, free_ports


def durable(rig: Rig) -> NodeSpec:
    """Ask for a server that writes each change down."""
    spec = rig.spec()
    return replace(spec, settings={**spec.settings, "appendonly": "yes"}, durable=True)


def filled(rig: Rig, spec: NodeSpec) -> None:
    """Create a node that holds something."""
    rig.backend.create(NODE, spec)
    rig.serving(NODE)
    with rig.client() as client:
        client.set("greeting", "hello")


def held(rig: Rig) -> object:
    """Read what the node holds of it."""
    rig.serving(NODE)
    with rig.client() as client:
        return client.get("greeting")


def killed(rig: Rig) -> None:
    """End the server as a crash would."""
    rig.stop(NODE)
    eventually(lambda: rig.node(NODE).phase is Phase.STOPPED)


def test_durable_data_outlive_a_killed_server(real: Rig) -> None:
    """All that it answered for is there when it is started again."""
    filled(real, durable(real))
    killed(real)
    real.backend.start(NODE, keep_data=True)
    assert held(real) == b"hello"


def test_data_that_are_kept_are_those_of_the_next_node(real: Rig) -> None:
    """They wait in between, and are listed as what is left."""
    filled(real, durable(real))
    real.backend.remove(NODE, keep_data=True)
    assert (real.backend.find(NODE), real.backend.leftovers()) == (None, {NODE})

    real.backend.create(NODE, durable(real), keep_data=True)

    assert real.backend.leftovers() == set()
    assert held(real) == b"hello"


def test_a_node_that_keeps_nothing_begins_with_nothing(real: Rig) -> None:
    """Though what a former one has saved is still there."""
    filled(real, real.spec())
    with real.client() as client:
        client.save()
    killed(real)
    real.backend.start(NODE, keep_data=False)
    assert held(real) is None


def test_data_are_dropped_when_they_are_not_asked_for(real: Rig) -> None:
    """A cache that is created anew is empty, whatever its namesake has left."""
    filled(real, durable(real))
    real.backend.remove(NODE, keep_data=True)
    real.backend.create(NODE, durable(real))
    assert held(real) is None


def test_nobody_inherits_the_data_of_another_cache(real: Rig) -> None:
    """One of the same name that was created later is another one."""
    filled(real, durable(real))
    real.backend.remove(NODE, keep_data=True)
    other = real.spec(uid="uid-2")
    real.backend.create(
        NODE, replace(other, settings=durable(real).settings), keep_data=True
    )
    assert held(real) is None


def test_what_is_left_of_a_removed_node_can_be_removed(rig: Rig) -> None:
    """Without a node there is only its data to remove; twice is no error."""
    rig.backend.create(NODE, rig.spec())
    rig.backend.create(OTHER, rig.spec(uid="uid-2", ports=free_ports()))
    rig.backend.remove(NODE, keep_data=True)
    for _ in range(2):
        rig.backend.remove(NODE)
        assert rig.backend.leftovers() == set()
    rig.backend.remove(OTHER)


def test_a_prepared_node_starts_with_its_new_settings(real: Rig) -> None:
    """Those of the running server stay as they are until then."""
    spec = real.spec()
    real.backend.create(NODE, spec)
    real.serving(NODE)
    changed = replace(spec, settings={**spec.settings, "maxclients": "48"})

    for _ in range(2):
        real.backend.prepare(NODE, changed)

    assert real.drift(spec) == {}
    killed(real)
    real.backend.start(NODE, keep_data=False)
    assert real.drift(changed) == {}


def test_nothing_can_be_prepared_for_what_is_gone(real: Rig) -> None:
    """The next look finds that out."""
    with pytest.raises(TransientError):
        real.backend.prepare(NODE, real.spec())


@pytest.mark.parametrize("appending", ["no", "yes"])
def test_a_dump_goes_from_one_node_into_another(
    real: Rig, tmp_path: Path, appending: str
) -> None:
    """What a server saved is what the next one starts from, durable or not."""
    filled(real, real.spec())
    with real.client() as client:
        client.save()
    dump = tmp_path / "copy.rdb"
    real.backend.read_dump(NODE, dump)
    real.backend.remove(NODE)

    spec = durable(real) if appending == "yes" else real.spec()
    real.backend.create(NODE, spec, seed=dump)

    assert held(real) == b"hello"
    if spec.durable:
        killed(real)
        real.backend.start(NODE, keep_data=True)
        assert held(real) == b"hello"


def test_what_is_made_durable_is_so_at_once(real: Rig) -> None:
    """When the setting is applied all data are written down, those of before too."""
    filled(real, real.spec())
    with real.client() as client:
        client.mset({f"key-{number}": "x" * 100 for number in range(20_000)})
    real.backend.prepare(NODE, durable(real))
    real.admin.apply_settings(real.node(NODE), {"appendonly": "yes"})
    killed(real)
    real.backend.start(NODE, keep_data=True)
    assert held(real) == b"hello"

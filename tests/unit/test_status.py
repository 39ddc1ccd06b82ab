"""What is said of a cache after a look at its server."""

from __future__ import annotations

from dataclasses import replace

from controller.actions import Again, Deeds, Done
from controller.model import CacheStatus, Record
from controller.nodes import Absent, Node, NodeSpec, Observed, Server
from controller.status import status_of
from tests import builders as b


def status(
    observed: Observed, outcome: Again | None = None, record: Record | None = None
) -> CacheStatus:
    """Describe a cache after a round, by default one that had nothing to do."""
    record = record or b.record()
    return status_of(record, b.wanted(record), observed, outcome or Done(), b.NOW)


def without_tls(node: Node) -> Node:
    """Have a server program that knows no TLS."""
    assert node.address is not None
    return replace(node, address=replace(node.address, speaks_tls=False))


def plain_server(wanted: NodeSpec) -> Server:
    """Answer as such a program does: on its plain port."""
    server = b.server()
    return replace(
        server, settings={**server.settings, "port": str(wanted.ports.plain)}
    )


def test_a_server_without_tls_is_ready_and_says_so() -> None:
    """The claim fails, tells what to do, and keeps nobody from the cache."""
    node = without_tls(b.node())
    told = status(Observed(node, plain_server(b.wanted())))
    [claim] = (each for each in told.conditions if each.type == "TlsServed")
    assert claim.holds is False
    assert "Install" in claim.message
    assert told.ready
    assert told.observed_generation == 1


def test_disabled_keys_have_to_be_refused() -> None:
    """A cache whose keys still open it is not what it was asked to be."""
    record = b.record(replace(b.SPEC, disable_access_key_authentication=True))
    server = b.server(b.wanted(record))
    assert not status(Observed(b.node(), server), record=record).ready
    closed = replace(server, accepted=frozenset())
    assert status(Observed(b.node(), closed), record=record).ready


def test_a_setting_that_the_machine_caps_is_told() -> None:
    """The cache is ready, and says with how much less."""
    server = b.server()
    capped = replace(
        server,
        settings={**server.settings, "maxclients": "64"},
        ceilings={"maxclients": "64"},
    )
    messages = {
        c.type: c.message for c in status(Observed(b.node(), capped)).conditions
    }
    assert "maxclients 64" in messages["Configured"]


def test_saved_data_wait_until_they_are_taken_over() -> None:
    """So that a failed creation loses nothing, nor a controller that is killed."""
    saving = Again(after=0.0, cause="saved", deeds=Deeds(saved=True))
    first = status(Observed(b.node(), b.server()), saving)
    record = replace(b.record(), status=first)
    assert record.lasting.status.saved
    assert status(Observed(Absent()), record=record).saved
    assert status(Observed(b.node(), b.server()), record=record).saved
    over = Again(after=0.0, cause="over", deeds=Deeds(taken_over=True))
    assert not status(Observed(b.node(), b.server()), over, record).saved


def test_a_server_that_follows_another_one_is_not_ready() -> None:
    """It takes no writes."""
    follower = replace(b.server(), follows=True)
    assert not status(Observed(b.node(), follower)).ready

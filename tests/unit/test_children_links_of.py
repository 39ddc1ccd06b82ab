"""Links between records: both views of each, and what they forbid."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.errors import ArmError
from api.redis.links import check_deletion, check_scaling, ids, links_of
from controller.children import LinkedServer
from controller.model import CacheKey, Record
from controller.spec import Sku, Tier
from tests.builders import KEY, record

SECOND = CacheKey("my-sub", "other-rg", "Second")
SPEC = replace(record().spec, sku=Sku(Tier.PREMIUM, 1))
SECONDARY = replace(record(SPEC), key=SECOND, uid="uid-2")
LINKED = replace(SPEC, linked_servers={"Second": LinkedServer(uid="uid-2")})
PRIMARY = record(LINKED)
LINKS = links_of([PRIMARY, SECONDARY])


def test_both_caches_show_their_link() -> None:
    """Under their own ids, by the other's name."""
    assert ids(KEY, LINKS) == [{"id": f"{KEY.arm_id}/linkedServers/Second"}]
    assert ids(SECOND, LINKS) == [{"id": f"{SECOND.arm_id}/linkedServers/Cache1"}]
    for links in LINKS.values():
        assert [(each.primary, each.secondary) for each in links] == [
            (PRIMARY, SECONDARY)
        ]


@pytest.mark.parametrize(
    "records",
    [
        pytest.param([PRIMARY], id="secondary gone"),
        pytest.param([PRIMARY, replace(SECONDARY, uid="uid-3")], id="another cache"),
        pytest.param([SECONDARY], id="primary gone"),
        pytest.param([PRIMARY, replace(SECONDARY, deleting=True)], id="deleting"),
        pytest.param([replace(PRIMARY, deleting=True), SECONDARY], id="primary too"),
    ],
)
def test_a_link_needs_both_its_caches(records: list[Record]) -> None:
    """What is left of it in a spec says nothing."""
    assert links_of(records) == {}


@pytest.mark.parametrize("key", [KEY, SECOND], ids=str)
def test_a_linked_cache_is_not_deleted(key: CacheKey) -> None:
    """The error says how to unlink it; other caches are not concerned."""
    with pytest.raises(ArmError, match=f"DELETE {key.arm_id}/linkedServers/"):
        check_deletion(key, LINKS)
    check_deletion(CacheKey("my-sub", "my-rg", "Third"), LINKS)


@pytest.mark.parametrize("linked", [PRIMARY, SECONDARY], ids=["primary", "secondary"])
@pytest.mark.parametrize(
    "change",
    [{"sku": Sku(Tier.PREMIUM, 2)}, {"shard_count": 2}, {"replicas_per_primary": 2}],
    ids=lambda change: next(iter(change)),
)
def test_a_linked_cache_is_not_scaled(
    linked: Record, change: dict[str, object]
) -> None:
    """Neither in size nor in number of servers; nor is it refused anything else."""
    scaled = replace(linked.spec, **change)  # type: ignore[arg-type]  # any field
    with pytest.raises(ArmError, match="cannot be scaled while it is linked"):
        check_scaling(linked, scaled, LINKS)
    check_scaling(linked, scaled, {})
    kept = replace(linked.spec, tags={"a": "b"}, replicas_per_primary=1)
    check_scaling(linked, kept, LINKS)

from dataclasses import dataclass

from temporalio.testing import ActivityEnvironment

from activities.push_preview import PreviewActivities, PreviewPushInput, PreviewPushResult
from domain.entities import Entity
from domain.errors import CredentialsError
from tests.activities.push_room import PushRoom, manifest
from tests.activities.test_push_stock import Stall
from tests.db.factories import customer, product, variant

PRODUCTS = Entity.PRODUCTS


@dataclass(frozen=True)
class Looked:
    """A preview as (action, the home store's id of the record)."""

    result: PreviewPushResult
    actions: dict[str, str]


async def look(room: PushRoom, entity: Entity = PRODUCTS, *, limit: int = 50) -> Looked:
    activities = PreviewActivities(room.home.database, room.opener)
    args = PreviewPushInput(
        tenant_id=room.away.tenant_id, store_id=room.away.store_id, entity=entity, limit=limit
    )
    result: PreviewPushResult = await ActivityEnvironment().run(activities.preview_push, args)
    kind = "variants" if entity is Entity.INVENTORY else entity.value
    names = await room.home.rows(
        "select record_id, external_id from links where store_id = :store and entity = :entity",
        entity=kind,
    )
    known: dict[int, str] = dict(names)
    return Looked(result, {known.get(one.record_id, "?"): one.action for one in result.items})


async def test_a_preview_tells_what_would_be_done_and_does_nothing(room: PushRoom) -> None:
    theirs = product("77", variant("78", sku="TAKEN"))
    room.shop.table(PRODUCTS)["77"] = theirs.record
    room.shop.table(PRODUCTS)["80"] = product("80", variant("81", sku="SAME")).record
    await room.away.take(PRODUCTS, product("77", variant("78", sku="OTHER")))
    await room.home.rows("delete from pushes")
    await room.come_in(PRODUCTS, product("1"), product("2"))
    await room.drain()
    await room.come_in(
        PRODUCTS,
        product("1", version=1, title="Edited"),
        product("3"),
        product("4", variant("4", sku="SAME")),
        product("5", variant("5", sku="TAKEN")),
        product("6", currency="USD", version=1),
    )
    await room.come_in(PRODUCTS, gone=["2"])
    await room.home.rows(
        'update stores set facts = \'{"currency": "EUR"}\' where id = :id', id=room.away.store_id
    )
    rows = await room.rows("entity, record_id, version, creating_since")
    requests = len(room.shop.requests)
    looked = await look(room)
    assert looked.actions == {
        "1": "update",
        "2": "unpublish",
        "3": "create",
        "4": "match",
        "5": "conflict",
        "6": "unsupported",
    }
    assert looked.result.total == 6
    assert looked.result.counts == dict.fromkeys(looked.actions.values(), 1)
    [conflict] = [one for one in looked.result.items if one.action == "conflict"]
    assert conflict.external_id == "77"
    assert conflict.holder == await room.away.record_id("products", "77")
    assert len(room.shop.requests) == requests
    assert await room.rows("entity, record_id, version, creating_since") == rows
    assert room.opener.opened_inactive is True


async def test_a_preview_looks_at_so_many_and_counts_all(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, *(product(str(number)) for number in range(12)))
    looked = await look(room, limit=11)
    assert (looked.result.total, len(looked.result.items)) == (12, 11)
    assert [len(one) for one in room.shop.lookups] == [10, 1]


async def test_what_was_never_enqueued_is_looked_up_too(room: PushRoom) -> None:
    await room.come_in(Entity.CUSTOMERS, customer("1"), customer("guest:x", is_guest=True))
    await room.home.rows("delete from pushes")
    assert (await look(room, Entity.CUSTOMERS)).actions == {"1": "create"}


async def test_a_provider_without_a_way_supports_nothing(room: PushRoom) -> None:
    room.opener.manifest = manifest(push_sizes={})
    await room.come_in(PRODUCTS, product("1"))
    assert (await look(room)).actions == {"1": "unsupported"}


async def test_a_store_that_says_no_is_a_result(room: PushRoom) -> None:
    async def refuse(_wanted: object) -> dict[str, object]:
        raise CredentialsError("401")

    room.shop.find = refuse  # type: ignore[method-assign,assignment]
    await room.come_in(PRODUCTS, product("1"))
    looked = await look(room)
    assert looked.result == PreviewPushResult(error_type="CredentialsError", message="401")


async def test_stock_is_compared_with_what_the_store_shows(room: PushRoom) -> None:
    stall = await Stall.set_up(room)
    await stall.sell_in_the_hub(3)
    assert (await look(room, Entity.INVENTORY)).actions == {"1": "update"}
    assert stall.shop.writes == []
    await room.drain()
    await room.enqueue(missing_only=False)
    assert (await look(room, Entity.INVENTORY)).actions == {"1": "unchanged"}
    stall.shop.shelf[stall.key] = 5  # type: ignore[assignment]
    level = await stall.level()
    # What it sold itself is counted first; then both say the same.
    assert (await look(room, Entity.INVENTORY)).actions == {"1": "unchanged"}
    assert await stall.level() == level

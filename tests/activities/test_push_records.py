from dataclasses import replace

from db.settle import REFERENCES, settle_references
from domain.entities import Entity
from domain.pushing import Outcome, Pushed
from domain.records import Category, Product
from domain.statuses import OrderStatus, ProductStatus
from tests.activities.push_room import PushRoom
from tests.db.factories import category, customer, order, product

PRODUCTS, CATEGORIES, CUSTOMERS = Entity.PRODUCTS, Entity.CATEGORIES, Entity.CUSTOMERS


async def test_what_comes_in_is_created_and_linked_once(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"), product("2"))
    assert await room.drain() == 2
    assert room.titles() == ["Product 1", "Product 2"]
    assert await room.rows() == []
    links = await room.links("products", "external_id, is_home, differs, pushed_at is not null")
    assert links == [(key, False, False, True) for key in room.shop.table(PRODUCTS)]
    assert len(await room.links("variants")) == 2
    assert await room.logs() == [("sync_products", "success", 1)]
    assert await room.drain() == 0
    assert len(room.shop.requests) == 1


async def test_the_echo_of_a_push_changes_nothing_and_is_pushed_nowhere(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    await room.drain()
    before = await room.home.changes()
    [key] = room.shop.table(PRODUCTS)
    applied = await room.away.take(PRODUCTS, room.shop.pulled(PRODUCTS, key))
    assert (applied.updated, applied.created, applied.unchanged) == (0, 0, 1)
    assert await room.home.changes() == before
    assert await room.home.rows("select from pushes") == []


async def test_five_edits_are_one_request_with_the_latest_state(room: PushRoom) -> None:
    for number in range(5):
        await room.come_in(PRODUCTS, product("1", version=number, title=f"Edit {number}"))
    await room.drain()
    assert room.titles() == ["Edit 4"]
    assert len(room.shop.requests) == 1


async def test_a_second_edit_updates_what_is_linked(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    await room.drain()
    await room.come_in(PRODUCTS, product("1", version=1, title="New title"))
    await room.drain()
    assert room.titles() == ["New title"]
    [[created], [updated]] = room.shop.requests
    assert created.external_id is None
    assert updated.external_id is not None
    assert updated.base == created.record.model_copy(  # type: ignore[union-attr]
        update={"variants": updated.base.variants}  # type: ignore[union-attr]
    )
    assert len(room.shop.lookups) == 1


async def test_an_edit_that_was_undone_needs_no_request(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    await room.drain()
    await room.come_in(PRODUCTS, product("1", version=1, title="Edit"))
    await room.come_in(PRODUCTS, product("1", version=2))
    assert await room.links("products", "differs") == [(True,)]
    await room.drain()
    assert (len(room.shop.requests), await room.rows()) == (1, [])
    assert await room.links("products", "differs") == [(False,)]


async def test_nothing_to_say_needs_no_request(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    await room.drain()
    await room.enqueue(missing_only=False)
    room.shop.requests.clear()
    assert await room.drain() == 1
    assert room.shop.requests == []
    assert await room.rows() == []


async def test_a_field_that_waits_for_a_person_is_not_sent(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    await room.drain()
    [(key, record_id)] = await room.links("products", "external_id, record_id")
    await room.away.rows(
        "insert into conflicts (tenant_id, store_id, entity, record_id, external_id, fields)"
        " values (:tenant, :store, 'products', :record, :key,"
        ' \'{"title": {"base": "a", "local": "b", "remote": "c"}}\')',
        tenant=room.away.tenant_id,
        record=record_id,
        key=key,
    )
    await room.come_in(PRODUCTS, product("1", version=1, title="Held"))
    await room.drain()
    assert (len(room.shop.requests), await room.rows()) == (1, [])
    await room.come_in(PRODUCTS, product("1", version=2, title="Held", description="Told"))
    await room.drain()
    assert [one.held for one in room.shop.requests[-1]] == [{"title"}]


async def test_parents_are_created_before_their_children(room: PushRoom) -> None:
    await room.come_in(CATEGORIES, category("2", "Green", parent="1"))
    await room.come_in(CATEGORIES, category("1", "Tea"))
    await room.home.rows(
        "update categories c set parent_id = p.id from categories p"
        " where c.name = 'Green' and p.name = 'Tea'"
    )
    await room.drain()
    [(tea, parent), (green, its_parent)] = [
        (key, one.parent_external_id)
        for key, one in room.shop.table(CATEGORIES).items()
        if isinstance(one, Category)
    ]
    assert (parent, its_parent) == (None, tea)
    assert green != tea
    assert len(room.shop.requests) == 2


async def test_a_product_gets_a_category_that_was_late(room: PushRoom) -> None:
    await room.come_in(CATEGORIES, category("5"))
    await room.come_in(PRODUCTS, product("1", category_external_ids=("5",)))
    key = await room.key_of("5", CATEGORIES)
    room.shop.says_no[key] = Pushed(key, Outcome.REFUSED, reason="not now")
    await room.drain()
    [made] = room.shop.table(PRODUCTS).values()
    assert isinstance(made, Product)
    assert made.category_external_ids == ()
    room.shop.says_no.clear()
    await room.drain(300)
    [made] = room.shop.table(PRODUCTS).values()
    [category_key] = room.shop.table(CATEGORIES)
    assert isinstance(made, Product)
    assert made.category_external_ids == (category_key,)
    assert await room.rows() == []


async def test_a_deleted_record_is_taken_off_sale_and_stays_so(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    await room.drain()
    await room.come_in(PRODUCTS, gone=["1"])
    await room.drain()
    [(key, made)] = room.shop.table(PRODUCTS).items()
    assert isinstance(made, Product)
    assert made.status == "hidden"
    assert room.shop.requests[-1][0].record is None
    echo = Product.model_validate(made.model_dump())
    applied = await room.away.take(PRODUCTS, replace(room.shop.pulled(PRODUCTS, key), record=echo))
    assert applied.updated == 0
    assert await room.home.rows("select deleted_at is not null from products") == [(True,)]


async def test_a_deleted_record_the_store_never_had_is_no_request(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    await room.come_in(PRODUCTS, gone=["1"])
    await room.drain()
    assert (room.shop.requests, await room.rows()) == ([], [])


async def test_an_orders_status_goes_to_its_own_store_in_its_own_words(room: PushRoom) -> None:
    await room.away.take(Entity.ORDERS, order("9"))
    room.shop.table(Entity.ORDERS)["9"] = order("9").record
    room.opener.settings = room.opener.settings.model_copy(
        update={"order_status_map": {"shipped": "on-its-way"}}
    )
    await room.home.rows("update orders set status = 'shipped'")
    await room.home.rows(
        "insert into pushes (tenant_id, store_id, entity, record_id)"
        " select tenant_id, store_id, 'orders', id from orders"
    )
    await room.drain()
    [[sent]] = room.shop.requests
    assert (sent.record.status, sent.record.raw_status) == (  # type: ignore[union-attr]
        OrderStatus.SHIPPED,
        "on-its-way",
    )
    assert ("update_order_status", "success", 1) in await room.logs()


async def test_the_catalogue_of_before_is_made_due_once(room: PushRoom) -> None:
    await room.come_in(CATEGORIES, category("1"))
    await room.come_in(PRODUCTS, product("1"), product("2", status=ProductStatus.DRAFT))
    await room.come_in(CUSTOMERS, customer("1"), customer("guest:x", is_guest=True))
    await room.home.rows("delete from pushes")
    assert await room.enqueue() == 4
    assert await room.enqueue() == 0
    await room.drain()
    assert await room.enqueue() == 0
    assert await room.enqueue(missing_only=False) == 4


async def test_a_store_that_was_never_asked_gets_nothing(room: PushRoom) -> None:
    await room.come_in(PRODUCTS, product("1"))
    await room.home.rows("delete from pushes")
    await room.home.rows("update stores set settings = '{}'")
    assert await room.enqueue() == 0


async def test_a_parent_that_comes_later_is_told_to_who_has_the_child(room: PushRoom) -> None:
    await room.come_in(CATEGORIES, category("2", "Green", parent="1"))
    await room.drain()
    await room.come_in(CATEGORIES, category("1"))
    await room.drain()
    for statement in REFERENCES:
        async with room.home.database.tenant(room.home.tenant_id) as connection:
            await settle_references(connection, room.home.origin, statement)
    assert await room.links("categories", "differs") == [(True,), (False,)]
    await room.drain()
    child, parent = room.shop.table(CATEGORIES).items()
    assert isinstance(child[1], Category)
    assert child[1].parent_external_id == parent[0]
    assert await room.links("categories", "differs") == [(False,), (False,)]

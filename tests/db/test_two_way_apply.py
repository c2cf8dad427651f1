"""Records that more than one party has to do with: what `apply` makes of a store's word."""

from db.apply import Applied
from domain.entities import Entity
from domain.pages import Pulled
from domain.pushing import mark_of, own_key
from domain.records import Category, Customer
from domain.statuses import OrderStatus
from domain.sync_settings import ConflictPolicy, Direction, StoreSettings
from tests.db.factories import order, product, variant
from tests.db.room import Room
from tests.db.two_way import due, edit, second, take, tea, title, wanted

PRODUCTS, CATEGORIES, CUSTOMERS = Entity.PRODUCTS, Entity.CATEGORIES, Entity.CUSTOMERS


async def test_a_new_product_is_to_be_pushed_to_the_other_store_alone(room: Room) -> None:
    other = await second(room)
    applied = await take(room, PRODUCTS, tea("1"))
    assert applied == Applied(created=1, pushes=frozenset({other.store_id}))
    assert await due(room) == [(other.store_id, "products", 1)]


async def test_what_a_second_store_has_already_is_matched_by_all_its_skus(room: Room) -> None:
    other = await second(room)
    await take(room, PRODUCTS, tea("1"))
    applied = await take(other, PRODUCTS, tea("9"), tea("8", sku="OTHER"))
    assert (applied.created, applied.updated + applied.unchanged) == (1, 1)
    assert await room.rows(
        "select external_id, is_home from links where entity = 'products' order by 1"
    ) == [("1", True), ("8", True), ("9", False)]
    variants = await room.rows(
        "select count(distinct record_id), count(*) from links where entity = 'variants'"
    )
    assert variants == [(2, 3)]


async def test_skus_of_two_products_match_neither(room: Room) -> None:
    other = await second(room)
    await take(room, PRODUCTS, tea("1", sku="A"), tea("2", sku="B"))
    both = product("9", variant("9a", sku="A"), variant("9b", sku="B"))
    assert (await take(other, PRODUCTS, both)).created == 1


async def test_our_own_key_matches_what_no_sku_would(room: Room) -> None:
    other = await second(room)
    await take(room, PRODUCTS, tea("1", sku=""))
    record_id = await room.record_id("products", "1")
    key = own_key(PRODUCTS, await room.mark(), record_id)
    applied = await take(other, PRODUCTS, tea("9", sku="", extra={"hub_ref": key}))
    assert applied.created == 0
    assert await other.record_id("products", "9") == record_id


async def test_the_key_of_another_hub_or_kind_matches_nothing(room: Room) -> None:
    other = await second(room)
    await take(room, PRODUCTS, tea("1", sku=""))
    record_id = await room.record_id("products", "1")
    foreign = (
        own_key(PRODUCTS, mark_of("org_of_a_staging_hub"), record_id),
        own_key(CATEGORIES, await room.mark(), record_id),
        f"products-{record_id}",
    )
    theirs = [tea(str(10 + at), sku="", extra={"hub_ref": key}) for at, key in enumerate(foreign)]
    assert (await take(other, PRODUCTS, *theirs)).created == len(foreign)


async def test_a_tree_of_categories_is_recognised_whole(room: Room) -> None:
    other = await second(room)
    tree = {
        "10": Category(name="Clothes", slug="clothes"),
        "11": Category(name="Men", slug="men", parent_external_id="10"),
        "12": Category(name="Shirts", slug="shirts", parent_external_id="11"),
        "9": Category(name="Long", slug="long", parent_external_id="12"),
    }
    await take(room, CATEGORIES, *(Pulled(key, one) for key, one in tree.items()))
    moved = {
        f"2{key}": one.model_copy(
            update={"parent_external_id": one.parent_external_id and f"2{one.parent_external_id}"}
        )
        for key, one in tree.items()
    }
    alike = {**moved, "299": Category(name="Long", slug="long", parent_external_id="210")}
    took = await take(other, CATEGORIES, *(Pulled(key, one) for key, one in alike.items()))
    assert took.created == 1
    assert await room.rows("select count(*) from categories") == [(5,)]


async def test_a_category_whose_parent_is_on_a_later_page_is_known_by_its_slug_alone(
    room: Room,
) -> None:
    other = await second(room)
    await take(
        room,
        CATEGORIES,
        Pulled("1", Category(name="Men", slug="men")),
        Pulled("2", Category(name="Shirts", slug="shirts", parent_external_id="1")),
        Pulled("3", Category(name="Long", slug="long", parent_external_id="2")),
        Pulled("4", Category(name="Long", slug="long", parent_external_id="1")),
    )
    early = Category(name="Shirts", slug="shirts", parent_external_id="99")
    assert (await take(other, CATEGORIES, Pulled("5", early))).created == 0
    doubtful = Category(name="Long", slug="long", parent_external_id="98")
    assert (await take(other, CATEGORIES, Pulled("6", doubtful))).created == 1


async def test_categories_match_by_slug_and_parent_and_customers_by_address(room: Room) -> None:
    other = await second(room)
    await take(
        room,
        CATEGORIES,
        Pulled("1", Category(name="Tea", slug="tea")),
        Pulled("2", Category(name="Green", slug="green", parent_external_id="1")),
    )
    top = Pulled("7", Category(name="Green", slug="green"))
    assert (await take(other, CATEGORIES, Pulled("6", Category(name="Tea", slug="tea")), top)) == (
        Applied(created=1, unchanged=1, pushes=frozenset({room.store_id}))
    )
    below = Pulled("8", Category(name="Green", slug="green", parent_external_id="6"))
    await take(other, CATEGORIES, below)
    assert await other.record_id("categories", "8") == await room.record_id("categories", "2")
    await take(room, CUSTOMERS, Pulled("1", Customer(email="Ann@example.test")))
    assert (
        await take(other, CUSTOMERS, Pulled("5", Customer(email="ann@example.test")))
    ).created == 0


async def test_a_tenant_with_one_store_matches_nothing(room: Room) -> None:
    assert await take(room, PRODUCTS, tea("1"), tea("2")) == Applied(created=2)


async def test_both_sides_fields_are_kept_where_they_differ(room: Room) -> None:
    await take(room, PRODUCTS, tea("1", title="Tea"))
    await edit(room, title="Hub tea")
    applied = await take(room, PRODUCTS, tea("1", title="Tea", tags=("new",), version=5))
    assert applied == Applied(updated=1)
    assert await room.rows("select title, tags from products") == [("Hub tea", ["new"])]
    assert await room.rows("select differs from links where entity = 'products'") == [(True,)]
    again = await take(room, PRODUCTS, tea("1", title="Tea", tags=("new",), version=5))
    assert again == Applied(unchanged=1)


async def test_the_losing_store_is_told_the_fields_it_lost(room: Room) -> None:
    other = await second(room, ConflictPolicy.LOCAL)
    await take(room, PRODUCTS, tea("1", title="Tea"))
    await take(other, PRODUCTS, tea("9", title="Tea"))
    await room.rows("delete from pushes")
    await take(room, PRODUCTS, tea("1", title="First", version=1))
    applied = await take(other, PRODUCTS, tea("9", title="Second", version=2))
    assert applied == Applied(unchanged=1, pushes=frozenset({other.store_id}))
    assert await title(room) == "First"


async def test_a_push_on_its_way_stays_due_when_the_store_changes_the_record(room: Room) -> None:
    other = await second(room, ConflictPolicy.REMOTE)
    await take(room, PRODUCTS, tea("1"))
    await take(other, PRODUCTS, tea("9"))
    await room.rows("delete from pushes")
    await edit(room, title="Hub")
    [claimed] = [row for row in await due(room) if row[0] == other.store_id]
    await take(other, PRODUCTS, tea("9", title="Theirs", version=3))
    [now] = [row for row in await due(room) if row[0] == other.store_id]
    assert now[2] > claimed[2]


async def test_another_content_at_a_known_version_is_left_aside_when_strict(room: Room) -> None:
    await take(room, PRODUCTS, tea("1", version=4), tea("2", sku="B", version=None))
    page = [tea("1", title="Other", version=4), tea("2", sku="B", title="Other", version=None)]
    applied = await take(room, PRODUCTS, *page, strict=True)
    assert applied == Applied(ambiguous=("1", "2"))
    assert await take(room, PRODUCTS, *page) == Applied(updated=2)
    newer = tea("1", title="Newer", version=5)
    assert await take(room, PRODUCTS, newer, strict=True) == Applied(updated=1)


async def test_force_brings_back_what_the_store_says_and_closes_conflicts(room: Room) -> None:
    other = await second(room, ConflictPolicy.MANUAL)
    await take(room, PRODUCTS, tea("1", title="Tea"))
    await take(other, PRODUCTS, tea("9", title="Tea"))
    await edit(room, title="Hub")
    theirs = tea("9", title="Theirs", version=2)
    applied = await take(other, PRODUCTS, theirs)
    assert (applied.conflicts, await title(room)) == (1, "Hub")
    assert (await take(other, PRODUCTS, theirs)) == Applied(unchanged=1)
    await take(other, PRODUCTS, theirs, force=True)
    assert await title(room) == "Theirs"
    assert await room.rows("select status, resolution from conflicts") == [("resolved", "settled")]


async def test_force_changes_nothing_where_only_the_order_of_keys_is_another(room: Room) -> None:
    """PostgreSQL keeps the keys of what a store says beyond our fields in an order of its own."""
    same = tea("1", extra={"weight_class": "a", "tax": "b", "z": {"later": 1, "a": 2}})
    await take(room, PRODUCTS, same)
    await room.rows("update links set pushed_at = now()")
    changes = await room.rows("select count(*) from changes")
    assert await take(room, PRODUCTS, same, force=True) == Applied(unchanged=1)
    assert await room.rows("select count(*) from changes") == changes


async def test_a_store_that_only_receives_creates_nothing_and_is_corrected(room: Room) -> None:
    other = await second(room, products=Direction.PUSH)
    await take(room, PRODUCTS, tea("1", title="Tea"))
    assert (await take(other, PRODUCTS, tea("7", sku="NEW"))) == Applied(unchanged=1)
    await take(other, PRODUCTS, tea("9", title="Tea"))
    await room.rows("delete from pushes")
    applied = await take(other, PRODUCTS, tea("9", title="Theirs", version=2))
    assert applied == Applied(unchanged=1, pushes=frozenset({other.store_id}))
    assert await due(room) == [(other.store_id, "products", 1)]
    assert await title(room) == "Tea"


async def test_an_orders_status_stays_where_it_is_not_taken_from_the_store(room: Room) -> None:
    await take(room, Entity.ORDERS, order("5", version=1))
    settings = StoreSettings.model_validate(wanted(order_status=Direction.PUSH))
    await room.rows(
        "update stores set settings = cast(:settings as jsonb) where id = :store",
        settings=settings.model_dump_json(by_alias=True),
    )
    changed = order("5", version=2, status="completed", customer_note="ring twice")
    applied = await take(room, Entity.ORDERS, changed)
    assert applied == Applied(updated=1, pushes=frozenset({room.store_id}))
    [(status, note)] = await room.rows("select status, customer_note from orders")
    assert (status != "completed", note) == (True, "ring twice")


async def test_categories_that_a_store_does_not_know_stay_with_the_product(room: Room) -> None:
    other = await second(room)
    await take(room, CATEGORIES, *(Pulled(k, Category(name=k, slug=k)) for k in ("1", "2")))
    await take(other, CATEGORIES, *(Pulled(k, Category(name=k, slug=k)) for k in ("2", "3")))
    await take(room, PRODUCTS, tea("5", category_external_ids=("1", "2")))
    await take(other, PRODUCTS, tea("9", category_external_ids=("2",)))
    await take(other, PRODUCTS, tea("9", category_external_ids=("2", "3"), version=3))
    ids = [await room.record_id("categories", key) for key in ("1", "2")]
    three = await other.record_id("categories", "3")
    assert sorted((await room.rows("select category_ids from products"))[0][0]) == sorted(
        [*ids, three]
    )


async def test_a_variant_of_the_hub_alone_outlives_what_a_store_says(room: Room) -> None:
    other = await second(room)
    await take(room, PRODUCTS, product("1", variant("a", sku="A"), variant("b", sku="B")))
    await take(other, PRODUCTS, product("9", variant("x", sku="A")))
    await take(other, PRODUCTS, product("9", variant("x", "12", sku="A"), version=3))
    assert await room.rows(
        "select sku, price::int from product_variants where deleted_at is null order by 1"
    ) == [("A", 12), ("B", 10)]


async def test_a_status_nobody_knows_is_told_once_for_each_word(room: Room) -> None:
    odd = [
        order(number, status=OrderStatus.UNKNOWN, raw_status=word)
        for number, word in (("1", "high_risk"), ("2", "high_risk"), ("3", "teleported"))
    ]
    await take(room, Entity.ORDERS, *odd)
    alerts = await room.rows("select kind, subject from alerts order by subject")
    assert [kind for kind, _ in alerts] == ["unknown_status"] * 2
    assert [subject.rpartition("/")[2] for _, subject in alerts] == ["high_risk", "teleported"]

"""Deletions on either side, and stores that never leave a record alone."""

from dataclasses import replace

from domain.entities import Entity
from domain.sync_settings import ConflictPolicy, StoreSettings
from tests.db.room import Room
from tests.db.two_way import due, edit, second, take, tea, title, wanted

PRODUCTS = Entity.PRODUCTS


async def test_a_deletion_elsewhere_than_at_home_takes_only_the_link(room: Room) -> None:
    other = await second(room)
    await take(room, PRODUCTS, tea("1"))
    await take(other, PRODUCTS, tea("9"))
    await other.take(PRODUCTS, gone=["9"])
    assert await room.rows("select deleted_at is null from products") == [(True,)]
    await room.take(PRODUCTS, gone=["1"])
    assert await room.rows("select deleted_at is null from products") == [(False,)]


async def test_a_deletion_at_home_is_told_to_the_others(room: Room) -> None:
    other = await second(room)
    await take(room, PRODUCTS, tea("1"))
    await take(other, PRODUCTS, tea("9"))
    await room.rows("delete from pushes")
    assert (await room.take(PRODUCTS, gone=["1"])).pushes == {other.store_id}


async def test_what_a_store_refused_is_moot_once_it_deleted_the_record(room: Room) -> None:
    other = await second(room)
    await take(room, PRODUCTS, tea("1"))
    await take(other, PRODUCTS, tea("9"))
    for store in (other, room):
        await room.rows("delete from pushes")
        await room.rows(
            "insert into pushes (tenant_id, store_id, entity, record_id, status)"
            " select v.tenant_id, :store, x.entity, x.id, 'failed' from product_variants v"
            " cross join lateral (values ('products', v.product_id), ('inventory', v.id))"
            " as x(entity, id)",
            store=store.store_id,
        )
        assert len(await due(room)) == 2
        await store.take(PRODUCTS, gone=["1" if store is room else "9"])
        failed = "select entity from pushes where status = 'failed' and store_id = :store"
        assert await room.rows(failed, store=store.store_id) == []


async def test_a_deletion_against_an_edit_is_a_conflict(room: Room) -> None:
    for policy, is_there, state in (
        (ConflictPolicy.LOCAL, True, (0, 1)),
        (ConflictPolicy.MANUAL, True, (1, 0)),
        (ConflictPolicy.LATEST, False, (0, 0)),
    ):
        settings = StoreSettings.model_validate(wanted(policy)).model_dump_json(by_alias=True)
        await room.rows(
            "update stores set settings = cast(:settings as jsonb) where id = :store",
            settings=settings,
        )
        await take(room, PRODUCTS, tea("1"), force=True)
        await edit(room, title=f"Edited {policy}")
        await room.rows("delete from pushes")
        applied = await room.take(PRODUCTS, gone=["1"])
        assert await room.rows("select deleted_at is null from products") == [(is_there,)]
        assert (applied.conflicts, len(await due(room))) == state
        await room.rows("delete from conflicts")
        await room.rows("delete from pushes")
        await room.rows("delete from links")
        await room.rows("delete from product_variants")
        await room.rows("delete from products")


async def test_what_the_hub_deleted_comes_back_by_a_later_edit_alone(room: Room) -> None:
    other = await second(room)
    await take(room, PRODUCTS, tea("1"))
    await take(other, PRODUCTS, tea("9"))
    await room.take(PRODUCTS, gone=["1"])
    draft = tea("9", status="draft", version=3)
    await take(other, PRODUCTS, draft)
    assert await room.rows("select deleted_at is null from products") == [(False,)]
    edited = replace(tea("9", title="Back"), version=None)
    await take(other, PRODUCTS, edited)
    assert await room.rows("select title, deleted_at is null from products") == [("Back", True)]


async def test_a_store_that_answers_every_push_with_a_change_is_slowed_down(room: Room) -> None:
    other = await second(room)
    await take(room, PRODUCTS, tea("1"))
    await take(other, PRODUCTS, tea("9"))
    waits = "select next_attempt_at > now() + interval '9 minutes' from pushes"
    for number in range(1, 7):
        await room.rows("delete from pushes")
        await room.rows("update links set pushed_at = now() where store_id = :s", s=other.store_id)
        changed = replace(tea("9", title=f"Rewritten {number}"), version=None)
        await take(other, PRODUCTS, changed)
        assert await due(room)
        assert (await room.rows(waits)) == [(None if number < 5 else True,)]
    assert await title(room) == "Rewritten 6"
    assert await room.rows("select kind, count from alerts") == [("loop", 2)]
    await room.rows("update links set updated_at = now() - interval '11 minutes'")
    await take(other, PRODUCTS, replace(tea("9", title="Calm"), version=None))
    assert await room.rows(waits) == [(None,)]


async def test_a_person_who_saves_often_is_no_loop(room: Room) -> None:
    other = await second(room)
    await take(room, PRODUCTS, tea("1"))
    await take(other, PRODUCTS, tea("9"))
    await room.rows("update links set pushed_at = now() where store_id = :s", s=other.store_id)
    for number in range(1, 9):
        await take(other, PRODUCTS, replace(tea("9", title=f"Saved {number}"), version=None))
    assert await room.rows("select bounces from links where external_id = '9'") == [(1,)]
    assert await room.rows("select from alerts") == []

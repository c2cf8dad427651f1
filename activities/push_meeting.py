"""What a push finds in the store already is linked, and not created a second time."""

from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.push_alarm import raise_for_dead
from activities.push_batch import Errand, Item
from db import push_links, pushes
from db.push_links import Held
from db.pushes import FAILED, Push, Setback
from domain.entities import Entity
from domain.pages import Pulled
from domain.reconcile import prepare
from domain.records import Product, Record
from domain.variant_pairs import pair_variants


async def meet(
    errand: Errand, items: Sequence[Item], found: Mapping[str, Pulled[Record]]
) -> Sequence[Push]:
    """Link records to what the store has of them; the rows of those that could be.

    What belongs to another record of ours is never taken from it: the row is dead, and says so.
    """
    if not items:
        return ()

    async def work(connection: AsyncConnection) -> tuple[frozenset[int], bool]:
        await errand.turn.confirm(connection)
        return await _meet(errand, items, found, connection)

    linked, is_alarmed = await errand.database.transact(errand.tenant_id, work)
    if is_alarmed:
        await errand.wake_alerts()
    return [one.push for one in items if one.push.record_id in linked]


async def _meet(
    errand: Errand,
    items: Sequence[Item],
    found: Mapping[str, Pulled[Record]],
    connection: AsyncConnection,
) -> tuple[frozenset[int], bool]:
    """The records that are linked now, and whether the alert lane wants waking."""
    store_id, entity = errand.store_id, errand.entity
    keys = [found[one.key].external_id for one in items]
    owners = dict(await push_links.find_owners(connection, store_id, entity, keys))
    free = [
        one
        for one in items
        if owners.setdefault(found[one.key].external_id, one.push.record_id) == one.push.record_id
    ]
    held = [_held(one, found[one.key]) for one in free]
    linked = await push_links.link(connection, errand.tenant_id, store_id, entity, held)
    dead = [
        Setback(one.push, FAILED, _taken(one, found[one.key], owners), one.push.attempts + 1)
        for one in items
        if one.push.record_id not in linked
    ]
    if entity is Entity.CATEGORIES:
        await pushes.enqueue_children(connection, store_id, sorted(linked))
    if entity is Entity.PRODUCTS and errand.settings.sync_directions.inventory.pushes:
        await pushes.enqueue_stock(connection, store_id, sorted(linked))
    await pushes.set_back(connection, store_id, dead)
    return linked, await raise_for_dead(connection, errand.turn.lane, dead)


def _held(item: Item, there: Pulled[Record]) -> Held:
    incoming = prepare(there)
    theirs = there.record.variants if isinstance(there.record, Product) else ()
    return Held(
        record_id=item.push.record_id,
        external_id=there.external_id,
        base=incoming.snapshot,
        digest=incoming.digest,
        version=there.version,
        variants=pair_variants(item.variants, theirs),
        pushed=False,
    )


def _taken(item: Item, there: Pulled[Record], owners: Mapping[str, int]) -> str:
    singular = item.push.entity.value
    owner = owners.get(there.external_id)
    return (
        f"The store has {singular} {there.external_id}, which looks like {singular} "
        f"{item.push.record_id} but is linked to {singular} {owner} here. If both are the "
        "same, delete one of them; if not, give them different SKUs, slugs or e-mail addresses. "
        "Then retry."
    )

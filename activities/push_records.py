"""Pushing records: look up what is not linked, send, and record what the store answered.

What happens when the process is killed: before the send, nothing was done but that found records
are linked and creates are marked; after it, an update is sent again and a create is looked up by
our own key. Nothing is created blind.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.push_batch import Errand, Item, sort, wanted
from activities.push_meeting import meet
from activities.push_reading import read_first
from activities.push_results import agree, record_results
from activities.push_sending import send
from db import push_links, pushes
from db.local_records import load_local
from db.pushes import UNSUPPORTED, Push, Setback
from domain.pages import Pulled
from domain.pushing import Wanted
from domain.records import Record


async def push_records(errand: Errand, batch: Sequence[Push]) -> int:
    """Bring a batch to the store; how many rows are settled or moved on.

    What is only left alone does not count: it is no sign that the store is well.

    Raises:
        StoreError: the store is away or refuses the keys.
    """
    held = sort(await _load(errand, batch), errand)
    known, creates = list(held.known), list[Item]()
    await _set_aside(errand, held.idle, held.doubtful, held.unsendable)
    if held.strangers:
        found = await _look_up(errand, held.strangers)
        errand.turn.hear()
        new = [one for one in held.strangers if one.key not in found]
        creates = [one for one in new if one.record is not None]
        met = await meet(errand, [one for one in held.strangers if one.key in found], found)
        again = sort(await _load(errand, met), errand)
        never_there = [one for one in new if one.record is None]
        await _set_aside(errand, [*never_there, *again.idle], (), again.unsendable)
        known += again.known
    if await read_first(errand, known):
        again = sort(await _load(errand, [one.push for one in known]), errand)
        await _set_aside(errand, again.idle, again.doubtful, again.unsendable)
        known = list(again.known)
    if known or creates:
        answers = await send(errand, known, creates)
        errand.turn.hear()
        await record_results(errand, answers)
    return len(batch) - len(held.doubtful)


async def _load(errand: Errand, batch: Sequence[Push]) -> list[Item]:
    if not batch:
        return []
    ids = [one.record_id for one in batch]
    async with errand.database.tenant(errand.tenant_id) as connection:
        held = await load_local(connection, errand.store_id, errand.entity, ids)
    return [Item(one, errand.mark, held.get(one.record_id)) for one in batch]


async def _set_aside(
    errand: Errand,
    idle: Sequence[Item],
    doubtful: Sequence[Item] = (),
    unsendable: Sequence[tuple[Item, str]] = (),
) -> None:
    """What needs no request: settled, left alone while it may be under way, or not supported."""
    if not idle and not doubtful and not unsendable:
        return
    refused = [
        Setback(one.push, UNSUPPORTED, reason, one.push.attempts) for one, reason in unsendable
    ]
    until = [
        (one.push, began + errand.doubt)
        for one in doubtful
        if (began := one.doubt_began) is not None
    ]
    same = [one.push.record_id for one in idle if one.local and one.local.agrees(errand.entity)]

    async def work(connection: AsyncConnection) -> None:
        await errand.turn.confirm(connection)
        await agree(errand, same, connection)
        held = {one.push.id for one in idle if one.waits}
        await pushes.settle(connection, errand.store_id, [one.push for one in idle], held=held)
        await pushes.defer(connection, errand.store_id, until)
        await pushes.set_back(connection, errand.store_id, refused)

    await errand.database.transact(errand.tenant_id, work)


async def _look_up(errand: Errand, strangers: Sequence[Item]) -> Mapping[str, Pulled[Record]]:
    deleted = [one.push.record_id for one in strangers if one.record is None]
    names: Mapping[int, Wanted] = {}
    if deleted:
        async with errand.database.tenant(errand.tenant_id) as connection:
            names = await push_links.load_wanted(connection, errand.entity, deleted)
    return await errand.client.find(
        [
            replace(
                names.get(one.push.record_id) or wanted(one),
                key=one.key,
                since=one.push.creating_since,
            )
            for one in strangers
        ]
    )

"""Sending a batch: creates are marked before, and what a store refuses whole is sent one by one."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.push_batch import Errand, Item, outgoing, wanted
from db import push_links, pushes
from domain.errors import RequestRejectedError, StoreError
from domain.pushing import Outcome, Outgoing, Pushed
from domain.records import snapshot


@dataclass(frozen=True, slots=True)
class Answer:
    """One item, what was sent of it, and what the store said."""

    item: Item
    sent: Outgoing
    pushed: Pushed


async def send(errand: Errand, known: Sequence[Item], creates: Sequence[Item]) -> list[Answer]:
    """Send one batch.

    From the commit before it until the results are recorded, the outcome of the creates is in
    doubt: whoever comes next looks them up.

    Raises:
        StoreError: the store is away or refuses the keys.
    """
    items = [*known, *creates]
    await _announce(errand, creates, known)
    try:
        return await _push(errand, items)
    except RequestRejectedError:
        return await _one_by_one(errand, items)


async def _announce(errand: Errand, creates: Sequence[Item], known: Sequence[Item] = ()) -> None:
    sent = {
        one.external_id: snapshot(one.record)
        for one in known
        if one.external_id is not None and one.record is not None
    }

    async def work(connection: AsyncConnection) -> None:
        await errand.turn.confirm(connection)
        await push_links.announce(connection, errand.store_id, errand.entity, sent)
        await pushes.mark_creating(
            connection, errand.store_id, [one.push for one in creates], errand.clock()
        )

    await errand.database.transact(errand.tenant_id, work)


async def _withdraw(errand: Errand, items: Sequence[Item]) -> None:
    """No write left the house (the budget was spent, say): nothing can have been created."""
    creates = [one.push for one in items if one.external_id is None]
    if not creates:
        return
    async with errand.database.tenant(errand.tenant_id) as connection:
        await errand.turn.confirm(connection)
        await pushes.mark_creating(connection, errand.store_id, creates, None)


async def _push(errand: Errand, items: Sequence[Item]) -> list[Answer]:
    sent = [outgoing(one, errand.settings) for one in items]
    before = errand.writes_sent() if errand.writes_sent is not None else None
    try:
        told = await errand.client.push(errand.entity, sent)
    except StoreError:
        if errand.writes_sent is not None and errand.writes_sent() == before:
            await _withdraw(errand, items)
        raise
    return [Answer(*one) for one in zip(items, sent, told, strict=True)]


async def _one_by_one(errand: Errand, items: Sequence[Item]) -> list[Answer]:
    """The store refused the batch as a whole: find out whose fault it is.

    A create that is found meanwhile has no answer here, and stays in doubt until it is looked up.
    When the store goes away in between, what it answered until then is kept: it is not sent again.
    """
    answers: list[Answer] = []
    try:
        for one in items:
            is_one_of_many = one.external_id is None and len(items) > 1
            if not (is_one_of_many and await errand.client.find([wanted(one)])):
                answers.append(await _alone(errand, one))
    except StoreError:
        if not answers:
            raise
    return answers


async def _alone(errand: Errand, item: Item) -> Answer:
    await _announce(errand, [item] if item.external_id is None else [])
    try:
        [answer] = await _push(errand, [item])
    except RequestRejectedError as error:
        refused = Pushed(item.key, Outcome.REFUSED, is_permanent=True, reason=str(error))
        return Answer(item, outgoing(item, errand.settings), refused)
    return answer

"""What a store answered, written in one transaction: links, rows, the log, alerts."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.push_alarm import raise_for_dead
from activities.push_batch import Errand
from activities.push_sending import Answer
from db import push_links, pushes
from db.conflicts import close_conflicts
from db.local_records import load_local
from db.push_links import Held
from db.push_logs import PushReport, log_push, run_of
from db.pushes import FAILED, PENDING, UNSUPPORTED, Push, Setback
from domain.entities import Entity
from domain.pages import Pulled
from domain.pushing import Outcome
from domain.records import Product, fingerprint, snapshot
from domain.variant_pairs import pair_variants


async def record_results(errand: Errand, answers: Sequence[Answer]) -> None:
    """Write what came of a request. Killed before the commit, the rows are due as they were.

    Raises:
        TurnLostError: another attempt took over; nothing is written.
    """

    async def work(connection: AsyncConnection) -> bool:
        await errand.turn.confirm(connection)
        return await _record(errand, answers, connection)

    if await errand.database.transact(errand.tenant_id, work):
        await errand.wake_alerts()


async def _record(errand: Errand, answers: Sequence[Answer], connection: AsyncConnection) -> bool:
    store_id, entity = errand.store_id, errand.entity
    linked = await _link(errand, answers, connection)
    gone = {one.item.push.record_id: one.sent.record is None for one in answers if _is_gone(one)}
    # An order is the store's own, and is not made again.
    is_final = entity is Entity.ORDERS
    buried = [record_id for record_id, is_deleted in gone.items() if is_deleted or is_final]
    await push_links.bury(connection, store_id, entity, buried)
    await push_links.forget(connection, store_id, entity, sorted(gone.keys() - set(buried)))
    setbacks: list[Setback] = []
    settled: list[Push] = []
    held = {one.item.push.id for one in answers if one.item.waits}
    for one in answers:
        if _is_held(one) and one.item.push.record_id not in linked:
            setbacks.append(_claimed_by_another(one))
        elif (setback := _setback(errand, one)) is not None:
            setbacks.append(setback)
        else:
            settled.append(one.item.push)
    await _follow(errand, answers, linked, connection)
    await agree(errand, sorted(linked), connection)
    forced = [one.record_id for one in settled if one.is_forced]
    await close_conflicts(connection, store_id, entity, forced)
    await pushes.settle(connection, store_id, settled, held=held)
    await pushes.set_back(connection, store_id, setbacks)
    await log_push(connection, errand.tenant_id, store_id, _report(entity, answers, setbacks))
    return await raise_for_dead(connection, errand.turn.lane, setbacks)


async def _link(
    errand: Errand, answers: Sequence[Answer], connection: AsyncConnection
) -> frozenset[int]:
    held = [_held(one) for one in answers if _is_held(one)]
    return await push_links.link(connection, errand.tenant_id, errand.store_id, errand.entity, held)


def _is_held(answer: Answer) -> bool:
    """Whether the store has the record now, as far as it says."""
    if answer.pushed.outcome is Outcome.DONE:
        return not _is_gone(answer)
    return answer.item.external_id is None and answer.pushed.external_id is not None


def _is_gone(answer: Answer) -> bool:
    """Whether the store has it no more: what is taken off sale is still there, and is answered."""
    if answer.pushed.outcome is Outcome.MISSING:
        return answer.item.external_id is not None
    is_done = answer.pushed.outcome is Outcome.DONE
    return is_done and answer.sent.record is None and answer.pushed.pulled is None


def _held(answer: Answer) -> Held:
    pushed, sent, local = answer.pushed, answer.sent, answer.item.local
    external_id = pushed.external_id or sent.external_id
    if external_id is None:
        raise ValueError(f"the provider did not say which id {sent.key} has now")
    held = Held(answer.item.push.record_id, external_id)
    said = pushed.pulled
    if said is None and pushed.outcome is Outcome.DONE and sent.record is not None:
        said = Pulled(external_id, sent.record)
    if said is None or local is None:
        return held
    theirs = said.record.variants if isinstance(said.record, Product) else ()
    pairs = pair_variants(
        answer.item.variants, [one for one in theirs if one.external_id], in_order=True
    )
    return replace(
        held,
        base=local.agreed(answer.item.push.entity, said, dict(pairs)),
        digest=fingerprint(snapshot(said.record)),
        version=said.version,
        variants=pairs,
    )


async def _follow(
    errand: Errand,
    answers: Sequence[Answer],
    linked: frozenset[int],
    connection: AsyncConnection,
) -> None:
    """What could not be told before the store had these records, or a variant, is due now."""
    items = [one.item for one in answers if one.item.push.record_id in linked]
    created = sorted(one.push.record_id for one in items if one.external_id is None)
    grown = sorted(
        one.push.record_id
        for one in items
        if one.external_id is None or any(not sold.external_id for sold in one.variants)
    )
    if errand.entity is Entity.CATEGORIES:
        await pushes.enqueue_children(connection, errand.store_id, created)
    if errand.entity is Entity.PRODUCTS and errand.settings.sync_directions.inventory.pushes:
        await pushes.enqueue_stock(connection, errand.store_id, grown)


async def agree(errand: Errand, record_ids: Sequence[int], connection: AsyncConnection) -> None:
    """Say of which records the store has all that the hub has, as it is at this moment."""
    if not record_ids:
        return
    held = await load_local(connection, errand.store_id, errand.entity, record_ids, lock=True)
    same = [key for key, local in held.items() if local.agrees(errand.entity)]
    await push_links.agree(connection, errand.store_id, errand.entity, same)


def _setback(errand: Errand, answer: Answer) -> Setback | None:
    """What becomes of the row; None: it is settled."""
    push, pushed = answer.item.push, answer.pushed
    failed = push.attempts + 1
    match pushed.outcome:
        case Outcome.DONE:
            return None
        case Outcome.UNSUPPORTED:
            return Setback(push, UNSUPPORTED, pushed.reason, push.attempts)
        case Outcome.MISSING if answer.sent.record is None:
            return None
        case Outcome.MISSING if push.entity is Entity.ORDERS:
            reason = "The store has this order no more, so its status cannot be told."
            return Setback(push, UNSUPPORTED, reason, push.attempts)
        case Outcome.MISSING if push.attempts == 0 and answer.item.external_id is not None:
            return Setback(push, PENDING, "The store has it no more: it is created again.", failed)
    due = None if pushed.is_permanent else errand.turn.next_attempt(failed)
    return Setback(push, FAILED if due is None else PENDING, pushed.reason, failed, due)


def _claimed_by_another(answer: Answer) -> Setback:
    push = answer.item.push
    reason = (
        f"The store has {push.entity.value} {push.record_id} as {answer.pushed.external_id}, and "
        "that is linked to another record here. Delete one of the two, then retry."
    )
    return Setback(push, FAILED, reason, push.attempts + 1)


def _report(entity: Entity, answers: Sequence[Answer], setbacks: Sequence[Setback]) -> PushReport:
    counts = Counter(_word(one) for one in answers)
    return PushReport(
        entity,
        {"sent": len(answers), **counts},
        errors={one.push.record_id: one.error for one in setbacks},
        tries=1 + max((one.item.push.attempts for one in answers), default=0),
        run_id=run_of(one.item.push for one in answers),
    )


def _word(answer: Answer) -> str:
    if answer.pushed.outcome is not Outcome.DONE:
        return answer.pushed.outcome.value
    if answer.sent.record is None:
        return "unpublished"
    return "created" if answer.sent.external_id is None else "updated"

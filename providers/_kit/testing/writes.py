"""What every provider that writes must hold: a failing store is never taken for a written one."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from functools import partial
from typing import Any, Final

import httpx

from domain.entities import Entity
from domain.errors import StoreError
from domain.pushing import Outcome, Outgoing, StockTarget, Wanted
from domain.sync_settings import PUSHED
from providers._kit.protocols import Provider, StoreClient, WritesRecords, WritesStock
from providers._kit.testing.contract import MOST_REQUESTS, Fault, failure, outcome
from providers._kit.testing.examples import RECORDS, connected, example_secrets

_CONTENT: Final = frozenset(("400", "409", "422"))
"""The store refuses what was sent: one item's failure, or the whole call's."""

_MISSING: Final = "404"
_TARGET: Final = StockTarget("1", "1", "LAMP-1", Decimal(5))


def written_entities(provider: Provider) -> list[Entity]:
    """The kinds of records that a provider claims to write."""
    supports = provider.manifest.supports
    return [one for one in PUSHED if one is not Entity.INVENTORY and supports.of(one).pushes]


async def check_push_fault(provider: Provider, fault: Fault) -> None:
    """A push to a failing store says so, at once and without a secret.

    A store that is away, or refuses the keys, fails the call. One that refuses the content may
    fail the item instead; then the answer names the reason.
    """
    for entity in written_entities(provider):
        for external_id in ("1", None):
            if entity is Entity.ORDERS and external_id is None:
                continue
            item = Outgoing(f"{entity}-7", external_id, RECORDS[entity])
            where = f"push({entity}, {'update' if external_id else 'create'}), {fault.name}"
            await _check_answer(provider, fault, entity, item, where)


async def check_find_fault(provider: Provider, fault: Fault) -> None:
    """A failing store is never "not there": what is not found is created."""
    for entity in written_entities(provider):
        if entity is Entity.ORDERS:
            continue
        wanted = Wanted(f"{entity}-7", entity, ("LAMP-1",), "lamp", "a@b.example", "Lamp")
        await _check_raised(
            provider,
            fault,
            partial(_find, wanted),
            f"find({entity}), store answers {fault.name}",
        )


async def check_stock_fault(provider: Provider, fault: Fault) -> None:
    """Stock is not read from, and not written to, a store that fails."""
    if not provider.manifest.supports.inventory.pushes:
        return
    # A product that is gone is one whose stock is not known.
    if fault.name != _MISSING:
        await _check_raised(
            provider,
            fault,
            lambda client: _stock(client).read_stock([_TARGET]),
            f"read_stock, store answers {fault.name}",
        )
    where = f"push_stock, store answers {fault.name}"
    client, asked = connected(provider, fault.answer)
    found = await outcome(lambda client: _stock(client).push_stock([_TARGET]), client, where)
    if isinstance(found, StoreError):
        _check_error(found, fault, where)
    else:
        assert [one.outcome for one in found] != [Outcome.DONE], f"{where}: nothing was done."
        assert _may_be_items(fault), f"{where}: raise {fault.error.__name__}."
    assert len(asked) <= MOST_REQUESTS, f"{where}: leave retries to the caller."


async def check_unsupported(provider: Provider) -> None:
    """What the manifest does not claim to write is answered `UNSUPPORTED`, with a reason."""
    client, asked = connected(provider, lambda _: httpx.Response(500))
    if not isinstance(client, WritesRecords):
        return
    claimed = written_entities(provider)
    for entity in RECORDS:
        if entity in claimed:
            continue
        item = Outgoing(f"{entity}-7", None, RECORDS[entity])
        answers = await client.push(entity, [item])
        assert [one.outcome for one in answers] == [Outcome.UNSUPPORTED], (
            f"push({entity}): `supports` does not claim it, so answer UNSUPPORTED."
        )
        assert answers[0].reason, f"push({entity}): give the reason, for people."
    assert asked == [], "What is not supported is not sent."


async def _check_answer(
    provider: Provider, fault: Fault, entity: Entity, item: Outgoing, where: str
) -> None:
    client, asked = connected(provider, fault.answer)
    found = await outcome(lambda client: _writer(client).push(entity, [item]), client, where)
    if isinstance(found, StoreError):
        _check_error(found, fault, where)
        told = f"{found!r} {found}"
    else:
        told = repr(found)
        assert [one.key for one in found] == [item.key], f"{where}: answer each item, by its key."
        assert found[0].outcome is not Outcome.DONE, f"{where}: nothing was done."
        assert _may_be_items(fault), f"{where}: raise {fault.error.__name__}."
        assert found[0].reason, f"{where}: give the reason, for people."
    assert len(asked) <= MOST_REQUESTS, f"{where}: leave retries to the caller."
    assert not any(secret in told for secret in example_secrets(provider)), (
        f"{where}: a secret is told."
    )


async def _check_raised(
    provider: Provider, fault: Fault, call: Callable[[StoreClient], Awaitable[Any]], where: str
) -> None:
    client, asked = connected(provider, fault.answer)
    _check_error(await failure(call, client, where), fault, where)
    assert len(asked) <= MOST_REQUESTS, f"{where}: leave retries to the caller."


def _check_error(error: StoreError, fault: Fault, where: str) -> None:
    assert type(error) is fault.error, f"{where}: raise {fault.error.__name__}, not {error!r}."
    assert error.retry_after_s == fault.retry_after_s, (
        f"{where}: carry Retry-After ({fault.retry_after_s}) as it is."
    )


def _may_be_items(fault: Fault) -> bool:
    return fault.name in _CONTENT or fault.name == _MISSING


async def _find(wanted: Wanted, client: StoreClient) -> Any:
    return await _writer(client).find([wanted])


def _writer(client: StoreClient) -> WritesRecords:
    assert isinstance(client, WritesRecords), "The client cannot write (`WritesRecords`)."
    return client


def _stock(client: StoreClient) -> WritesStock:
    assert isinstance(client, WritesStock), "The client cannot write stock (`WritesStock`)."
    return client

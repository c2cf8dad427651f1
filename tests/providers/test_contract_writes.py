"""The contract kit's write checks catch providers that break one rule each."""

# The doubles keep the signatures of what they stand for.
# ruff: noqa: ARG002

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from domain.entities import Entity
from domain.errors import RequestRejectedError, RouteMissingError, StoreUnavailableError
from domain.pages import IdsPage, Listing, Page, Pulled
from domain.pushing import Outcome, Outgoing, Pushed, StockPushed, StockShown, StockTarget, Wanted
from domain.records import Record
from domain.sync_settings import Direction, SyncDirections
from providers._kit.answers import read_json, status_error
from providers._kit.protocols import (
    HttpSession,
    Manifest,
    StoreConfig,
    StoreFacts,
    Webhooks,
)
from providers._kit.testing.contract import FAULTS, Fault, check_client, check_manifest
from providers._kit.testing.examples import URL
from providers._kit.testing.writes import (
    check_find_fault,
    check_push_fault,
    check_stock_fault,
    check_unsupported,
)


class _Writer:
    """Writes products and stock, and does everything right, until a test breaks it."""

    def __init__(self, session: HttpSession, secret: str) -> None:
        self.session = session
        self.secret = secret

    async def ask(self) -> Any:
        answer = await self.session.request("GET", f"{URL}/api")
        error = status_error(answer, asked="GET /api")
        if error is not None:
            raise error
        read_json(answer, asked="GET /api")
        raise StoreUnavailableError("not understood")

    async def probe(self) -> StoreFacts:
        raise NotImplementedError

    async def fetch_listing(self, entity: Entity) -> Listing:
        raise NotImplementedError

    async def fetch_page(self, entity: Entity, number: int) -> Page[Record]:
        raise NotImplementedError

    async def fetch_ids(self, entity: Entity, number: int) -> IdsPage:
        raise NotImplementedError

    async def fetch_by_ids(self, entity: Entity, external_ids: Sequence[str]) -> Page[Record]:
        raise NotImplementedError

    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> Sequence[Pushed]:
        if entity is not Entity.PRODUCTS:
            return [Pushed(one.key, Outcome.UNSUPPORTED, reason="no such thing") for one in items]
        try:
            await self.ask()
        except RequestRejectedError as error:
            return [Pushed(one.key, Outcome.REFUSED, reason=str(error)) for one in items]
        except RouteMissingError as error:
            return [Pushed(one.key, Outcome.MISSING, reason=str(error)) for one in items]
        return []

    async def find(self, wanted: Sequence[Wanted]) -> Mapping[str, Pulled[Record]]:
        found: Mapping[str, Pulled[Record]] = await self.ask()
        return found

    async def read_stock(self, targets: Sequence[StockTarget]) -> Mapping[str, StockShown]:
        found: Mapping[str, StockShown] = await self.ask()
        return found

    async def push_stock(self, targets: Sequence[StockTarget]) -> Sequence[StockPushed]:
        found: Sequence[StockPushed] = await self.ask()
        return found


class _Example:
    webhooks: Webhooks | None = None
    manifest = Manifest(
        slug="example",
        title="Example",
        entities=(Entity.PRODUCTS,),
        tracks_changes=frozenset(),
        page_size=10,
        instructions="",
        directions=SyncDirections(
            categories=Direction.OFF, customers=Direction.OFF, order_status=Direction.OFF
        ),
        supports=SyncDirections(
            categories=Direction.OFF, customers=Direction.OFF, order_status=Direction.OFF
        ),
        push_sizes={Entity.PRODUCTS: 5, Entity.INVENTORY: 5},
    )
    config_model: type[StoreConfig] = StoreConfig

    def __init__(self, client: type[_Writer] = _Writer) -> None:
        self.client = client

    def connect(
        self, config: StoreConfig, facts: StoreFacts | None, session: HttpSession
    ) -> _Writer:
        secret = config.webhook_secret
        return self.client(session, secret.get_secret_value() if secret else "")


class _Pretends(_Writer):
    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> Sequence[Pushed]:
        return [Pushed(one.key, Outcome.DONE, external_id="1") for one in items]

    async def find(self, wanted: Sequence[Wanted]) -> Mapping[str, Pulled[Record]]:
        return {}

    async def read_stock(self, targets: Sequence[StockTarget]) -> Mapping[str, StockShown]:
        return {}

    async def push_stock(self, targets: Sequence[StockTarget]) -> Sequence[StockPushed]:
        return [StockPushed(one.variant_external_id, Outcome.DONE) for one in targets]


class _Blames(_Writer):
    """Takes the store's failure for the item's."""

    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> Sequence[Pushed]:
        return [Pushed(one.key, Outcome.REFUSED, reason="it failed") for one in items]


class _Mute(_Writer):
    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> Sequence[Pushed]:
        return [Pushed(one.key, Outcome.REFUSED) for one in items]


class _Forgets(_Writer):
    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> Sequence[Pushed]:
        return []


class _Tells(_Writer):
    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> Sequence[Pushed]:
        return [Pushed(one.key, Outcome.REFUSED, reason=self.secret) for one in items]


class _Sleeps(_Writer):
    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> Sequence[Pushed]:
        await asyncio.Event().wait()
        return []


class _Insists(_Writer):
    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> Sequence[Pushed]:
        for _ in range(5):
            await self.session.request("POST", f"{URL}/api", content=b"{}")
        found: Sequence[Pushed] = await self.ask()
        return found


class _Guesses(_Writer):
    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> Sequence[Pushed]:
        raise StoreUnavailableError("always the same")


def _fault(name: str) -> Fault:
    return next(fault for fault in FAULTS if fault.name == name)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_sound_writer_passes(fault: Fault) -> None:
    example = _Example()

    check_manifest(example, slug="example")
    check_client(example)
    await check_push_fault(example, fault)
    await check_find_fault(example, fault)
    await check_stock_fault(example, fault)
    await check_unsupported(example)


@pytest.mark.parametrize(
    ("client", "fault", "told"),
    [
        (_Pretends, "500", "nothing was done"),
        (_Pretends, "422", "nothing was done"),
        (_Blames, "500", "raise StoreUnavailableError"),
        (_Blames, "401", "raise CredentialsError"),
        (_Blames, "timeout", "raise StoreUnreachableError"),
        (_Mute, "422", "give the reason"),
        (_Forgets, "422", "answer each item"),
        (_Tells, "422", "a secret is told"),
        (_Sleeps, "429", "never sleeps"),
        (_Insists, "500", "leave retries to the caller"),
        (_Guesses, "403", "raise PermissionDeniedError"),
        (_Guesses, "503", "carry Retry-After"),
    ],
)
async def test_broken_push_is_caught(client: type[_Writer], fault: str, told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        await check_push_fault(_Example(client), _fault(fault))


@pytest.mark.parametrize("fault", ["400", "404", "500", "html", "dropped"])
async def test_failure_taken_for_not_there_is_caught(fault: str) -> None:
    with pytest.raises(AssertionError, match="nothing was raised"):
        await check_find_fault(_Example(_Pretends), _fault(fault))


@pytest.mark.parametrize("fault", ["422", "500", "timeout"])
async def test_stock_of_a_failing_store_is_caught(fault: str) -> None:
    with pytest.raises(AssertionError, match="nothing was raised"):
        await check_stock_fault(_Example(_Pretends), _fault(fault))


async def test_pretending_to_write_what_is_not_claimed_is_caught() -> None:
    with pytest.raises(AssertionError, match="UNSUPPORTED"):
        await check_unsupported(_Example(_Pretends))

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import providers
from domain.entities import Entity
from domain.errors import RateLimitedError, StoreUnavailableError
from domain.pages import IdsPage, Listing, Page
from domain.records import Record
from domain.sync_settings import Direction, SyncDirections
from providers._kit.answers import status_error
from providers._kit.protocols import (
    HttpSession,
    Manifest,
    Provider,
    StoreConfig,
    StoreFacts,
    Webhooks,
)
from providers._kit.registry import Registry
from providers._kit.testing.contract import (
    FAULTS,
    Fault,
    check_client,
    check_fault,
    check_form,
    check_manifest,
)
from providers._kit.testing.examples import URL
from providers._kit.testing.webhooks import Samples, check_webhooks
from providers._kit.testing.writes import (
    check_find_fault,
    check_push_fault,
    check_stock_fault,
    check_unsupported,
)

SLUGS = Registry().slugs


@pytest.fixture(params=SLUGS)
def provider(request: pytest.FixtureRequest) -> Provider:
    return Registry().get(request.param)


def test_every_folder_is_a_provider() -> None:
    registry = Registry()

    assert tuple(one.manifest.slug for one in registry.all()) == SLUGS
    assert registry.broken == {}


@pytest.mark.parametrize("slug", SLUGS)
def test_manifest_is_whole(slug: str) -> None:
    check_manifest(Registry().get(slug), slug=slug)


def test_form_keeps_its_secrets(provider: Provider) -> None:
    check_form(provider)


def test_client_can_do_what_is_claimed(provider: Provider) -> None:
    check_client(provider)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_failing_store_becomes_the_right_error(provider: Provider, fault: Fault) -> None:
    await check_fault(provider, fault)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_write_to_a_failing_store_is_no_success(provider: Provider, fault: Fault) -> None:
    await check_push_fault(provider, fault)
    await check_find_fault(provider, fault)
    await check_stock_fault(provider, fault)


async def test_what_is_not_claimed_is_answered_unsupported(provider: Provider) -> None:
    await check_unsupported(provider)


def test_webhooks_tell_genuine_from_forged(provider: Provider) -> None:
    if provider.webhooks is not None:
        folder = Path(providers.__path__[0]) / provider.manifest.slug
        check_webhooks(provider, Samples.load(folder))


class _Client:
    """A client that does everything right, until a test breaks it."""

    def __init__(self, session: HttpSession, secret: str) -> None:
        self.session = session
        self.secret = secret

    async def ask(self, *_: object) -> Any:
        answer = await self.session.request("GET", f"{URL}/api")
        error = status_error(answer, asked="GET /api")
        if error is None:
            error = StoreUnavailableError("not understood")
        raise error

    async def probe(self) -> StoreFacts:
        found: StoreFacts = await self.ask()
        return found

    async def fetch_listing(self, entity: Entity) -> Listing:
        found: Listing = await self.ask(entity)
        return found

    async def fetch_page(self, entity: Entity, number: int) -> Page[Record]:
        found: Page[Record] = await self.ask(entity, number)
        return found

    async def fetch_ids(self, entity: Entity, number: int) -> IdsPage:
        found: IdsPage = await self.ask(entity, number)
        return found

    async def fetch_by_ids(self, entity: Entity, external_ids: Sequence[str]) -> Page[Record]:
        found: Page[Record] = await self.ask(entity, external_ids)
        return found


READ_ONLY = SyncDirections(
    products=Direction.PULL,
    categories=Direction.PULL,
    customers=Direction.PULL,
    inventory=Direction.PULL,
    order_status=Direction.PULL,
)


class _OpenForm(StoreConfig):
    api_token: str = "open"


class _Example:
    webhooks: Webhooks | None = None
    manifest = Manifest(
        slug="example",
        title="Example",
        entities=(Entity.ORDERS,),
        tracks_changes=frozenset(),
        page_size=10,
        instructions="{webhook_secret}",
        directions=READ_ONLY,
        supports=READ_ONLY,
    )
    config_model: type[StoreConfig] = StoreConfig
    client: type[_Client] = _Client

    def connect(
        self, config: StoreConfig, facts: StoreFacts | None, session: HttpSession
    ) -> _Client:
        assert facts is not None
        secret = config.webhook_secret
        return self.client(session, secret.get_secret_value() if secret else "")


class _Sleeps(_Client):
    async def ask(self, *_: object) -> Any:
        await asyncio.Event().wait()


class _Swallows(_Client):
    async def ask(self, *_: object) -> Any:
        return Page()


class _Retries(_Client):
    async def ask(self, *_: object) -> Any:
        for _try in range(5):
            answer = await self.session.request("GET", f"{URL}/api")
        raise status_error(answer, asked="GET /api") or StoreUnavailableError("none")


class _Tells(_Client):
    async def ask(self, *_: object) -> Any:
        raise StoreUnavailableError(f"no luck with {self.secret}", status=500)


class _Mistakes(_Client):
    async def ask(self, *_: object) -> Any:
        raise StoreUnavailableError("always the same")


class _Forgets(_Client):
    async def ask(self, *_: object) -> Any:
        raise RateLimitedError("slow down", retry_after_s=7.0)


def _fault(name: str) -> Fault:
    return next(fault for fault in FAULTS if fault.name == name)


def test_sound_example_passes() -> None:
    check_manifest(_Example(), slug="example")
    check_form(_Example())
    check_client(_Example())


@pytest.mark.parametrize(
    ("client", "fault", "told"),
    [
        (_Sleeps, "429", "never sleeps"),
        (_Swallows, "500", "nothing was raised"),
        (_Retries, "500", "leave retries to the caller"),
        (_Tells, "500", "a secret is told"),
        (_Mistakes, "401", "raise CredentialsError"),
        (_Mistakes, "503", "carry Retry-After"),
        (_Forgets, "429", "carry the status"),
    ],
)
async def test_broken_client_is_caught(client: type[_Client], fault: str, told: str) -> None:
    example = _Example()
    example.client = client

    with pytest.raises(AssertionError, match=told):
        await check_fault(example, _fault(fault))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"slug": "other"}, "folder's name"),
        ({"title": ""}, "title"),
        ({"entities": ()}, "entities"),
        ({"tracks_changes": frozenset((Entity.PRODUCTS,))}, "tracks_changes"),
        ({"page_size": 0}, "page_size"),
        ({"instructions": "{password}"}, "unknown"),
        ({"directions": SyncDirections(products=Direction.PUSH)}, "beyond"),
        ({"supports": SyncDirections()}, "push_sizes"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
    ],
)
def test_broken_manifest_is_caught(change: dict[str, Any], told: str) -> None:
    example = _Example()
    example.manifest = replace(example.manifest, **change)

    with pytest.raises(AssertionError, match=told):
        check_manifest(example, slug="example")


def test_open_secret_in_a_form_is_caught() -> None:
    example = _Example()
    example.config_model = _OpenForm

    with pytest.raises(AssertionError, match=r"api_token.*SecretStr"):
        check_form(example)


def test_claim_without_the_capability_is_caught() -> None:
    example = _Example()
    example.manifest = replace(example.manifest, tracks_changes=frozenset((Entity.ORDERS,)))

    with pytest.raises(AssertionError, match="ReadsChanges"):
        check_client(example)


@pytest.mark.parametrize(
    ("supports", "told"),
    [
        (READ_ONLY.model_copy(update={"products": Direction.PUSH}), "WritesRecords"),
        (READ_ONLY.model_copy(update={"inventory": Direction.PUSH}), "WritesStock"),
    ],
)
def test_claimed_write_without_the_capability_is_caught(
    supports: SyncDirections, told: str
) -> None:
    example = _Example()
    example.manifest = replace(example.manifest, supports=supports)

    with pytest.raises(AssertionError, match=told):
        check_client(example)

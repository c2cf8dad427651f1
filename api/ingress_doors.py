"""The stores behind webhook addresses, opened and remembered for a moment.

What is remembered is never trusted to say no: whoever is refused because of it is looked up again.
Nor is it trusted to say yes: an event is kept only if the store still has the credentials it was
found genuine with (`db.ingress.keep_events`).
"""

import asyncio
import ipaddress
import time
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import structlog
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.services import ApiServices
from db import ingress
from db.crypto import store_context
from db.ingress import WebhookStore
from domain.errors import NotFoundError, SecretError
from domain.sync_settings import StoreSettings
from providers._kit.protocols import StoreConfig, Webhooks

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Load = Callable[[AsyncConnection], Awaitable[Sequence[WebhookStore]]]

_REMEMBER_S: Final = 1.0
_MOST: Final = 10_000

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Door:
    """A store that webhooks come in by.

    Attributes:
        iv: names the credentials, see `db.ingress.NewEvent`.
        networks: where webhooks may come from; None: from anywhere.
    """

    tenant_id: int
    store_id: int
    is_active: bool
    iv: str
    webhooks: Webhooks
    config: StoreConfig = field(repr=False)
    networks: tuple[Network, ...] | None

    def lets_in(self, address: str) -> bool:
        """Whether the store takes webhooks from this address."""
        if self.networks is None:
            return True
        try:
            given = ipaddress.ip_address(address)
        except ValueError:
            return False
        mapped = getattr(given, "ipv4_mapped", None)
        return any((mapped or given) in network for network in self.networks)


@dataclass(frozen=True, slots=True)
class Found:
    """The doors of an address. `is_fresh`: they were looked up for this very request."""

    doors: tuple[Door, ...]
    is_fresh: bool


class Doors:
    """Looks doors up; requests for one address at the same moment share one look-up."""

    def __init__(self, services: ApiServices) -> None:
        self._services = services
        self._known: dict[Hashable, tuple[float, tuple[Door, ...]]] = {}
        self._looking: dict[Hashable, asyncio.Task[tuple[Door, ...]]] = {}

    async def by_code(self, code: str, *, fresh: bool = False) -> Found:
        """The store with this webhook code, if there is one."""

        async def load(connection: AsyncConnection) -> Sequence[WebhookStore]:
            found = await ingress.find_store_by_code(connection, code)
            return [found] if found is not None else []

        return await self._get(("code", code), load, fresh=fresh)

    async def by_source(self, provider: str, source: str, *, fresh: bool = False) -> Found:
        """The stores of a provider at the address a shop names itself by."""
        load = partial(ingress.find_stores_by_source, provider=provider, source=source)
        return await self._get(("source", provider, source), load, fresh=fresh)

    async def by_organization(
        self, provider: str, organization_id: str, source: str | None, *, fresh: bool = False
    ) -> Found:
        """A tenant's stores of a provider, those at the address first."""
        load = partial(
            ingress.find_stores_by_organization,
            provider=provider,
            organization_id=organization_id,
            source=source,
        )
        key = ("organization", provider, organization_id, source)
        return await self._get(key, load, fresh=fresh)

    async def _get(self, key: Hashable, load: Load, *, fresh: bool) -> Found:
        known = self._known.get(key)
        if known is not None and not fresh and time.monotonic() - known[0] < _REMEMBER_S:
            return Found(known[1], is_fresh=False)
        looking = self._looking.get(key)
        if looking is None:
            looking = asyncio.create_task(self._look(key, load))
            self._looking[key] = looking
            looking.add_done_callback(lambda _: self._looking.pop(key, None))
        # Shielded: a client that leaves must not take the look-up from the others.
        return Found(await asyncio.shield(looking), is_fresh=True)

    async def _look(self, key: Hashable, load: Load) -> tuple[Door, ...]:
        started = time.monotonic()
        async with self._services.database.lookup() as connection:
            found = await load(connection)
        doors = self._open_all(found)
        self._known.pop(key, None)
        if doors:
            self._remember(key, started, doors)
        return doors

    def _remember(self, key: Hashable, at: float, doors: tuple[Door, ...]) -> None:
        """In the order of age, so that what is too old is found at the front."""
        while self._known:
            oldest = next(iter(self._known))
            if len(self._known) < _MOST and at - self._known[oldest][0] < _REMEMBER_S:
                break
            del self._known[oldest]
        self._known[key] = (at, doors)

    def _open_all(self, found: Sequence[WebhookStore]) -> tuple[Door, ...]:
        """Raises SecretError when it is the only reason that there is no door."""
        doors: list[Door] = []
        unreadable: SecretError | None = None
        for one in found:
            try:
                door = self._open(one)
            except SecretError as error:
                _log.error("secret_unreadable", reason=str(error))
                unreadable = error
            else:
                doors += [door] if door is not None else []
        if unreadable is not None and not doors:
            raise unreadable
        return tuple(doors)

    def _open(self, store: WebhookStore) -> Door | None:
        """None: nothing can be genuine for it, because it has no credentials or no provider."""
        if store.sealed is None:
            return None
        try:
            provider = self._services.registry.get(store.provider)
        except NotFoundError:
            return None
        if provider.webhooks is None:
            return None
        plain = self._services.secrets.open(store.sealed, context=store_context(store.store_id))
        try:
            config = provider.config_model.model_validate_json(plain)
        except ValidationError:
            raise SecretError(
                f"the credentials of store {store.store_id} do not fit its provider any more"
            ) from None
        settings = StoreSettings.model_validate(store.settings)
        return Door(
            store.tenant_id,
            store.store_id,
            store.is_active,
            store.sealed.iv,
            provider.webhooks,
            config,
            _networks(settings.ip_allow_list, store.store_id),
        )


def _networks(allowed: Sequence[str], store_id: int) -> tuple[Network, ...] | None:
    """What cannot be read lets nobody in: a list with a mistake is not an open door."""
    if not allowed:
        return None
    networks: list[Network] = []
    for text in allowed:
        try:
            networks.append(ipaddress.ip_network(text.strip(), strict=False))
        except ValueError:
            _log.warning("ip_allow_list_unreadable", store_id=store_id, entry=text)
    return tuple(networks)

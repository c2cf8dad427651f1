"""Opening a store: its row, its credentials, and a client of its provider."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from typing import Protocol

from pydantic import ValidationError

from activities.budget import BudgetedSession, Budgets
from activities.call_stats import CallStats
from activities.request_log import LoggedSession
from db.crypto import SecretBox, store_context
from db.field_mappings import load_mapping
from db.session import Database
from db.store_checks import find_check
from db.stores import find_credentials, find_store
from domain.entities import Entity
from domain.errors import SecretError, StoreGoneError
from domain.field_mapping import FieldMapping
from domain.sync_settings import StoreSettings
from providers._kit.protocols import (
    HttpSession,
    Manifest,
    Provider,
    StoreClient,
    StoreConfig,
    StoreFacts,
)
from providers._kit.registry import Registry
from providers._kit.sizing import SizesPages


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store one can read from.

    `writes_sent` counts the requests of this client that may have changed something; None: they
    are not counted.
    """

    client: StoreClient
    manifest: Manifest
    settings: StoreSettings = field(default_factory=StoreSettings)
    writes_sent: Callable[[], int] | None = None

    def sized(self, page_size: int | None) -> "OpenStore":
        """The same store read in pages of this size, where its provider lets us choose."""
        if page_size is None or page_size == self.manifest.page_size:
            return self
        if not isinstance(self.client, SizesPages):
            return self
        return replace(self, client=self.client.with_page_size(page_size))


def is_taken(store: OpenStore, entity: Entity) -> bool:
    """Whether the store's records of this kind come in at all. Orders always do."""
    return entity is Entity.ORDERS or store.settings.sync_directions.of(entity).pulls


@dataclass(frozen=True, slots=True)
class OpenConfig:
    """A store whose credentials are at hand, without a client: for what needs no network."""

    provider: Provider
    config: StoreConfig = field(repr=False)
    facts: StoreFacts
    settings: StoreSettings
    webhook_code: str = field(repr=False)


class OpensStores(Protocol):
    """Gives clients of stores."""

    async def open(
        self, tenant_id: int, store_id: int, *, even_inactive: bool = False
    ) -> OpenStore:
        """See `StoreOpener.open`."""
        ...


class StoreOpener:
    """Builds clients. Credentials live in memory for as long as the client does, nowhere else.

    Args:
        logged: providers whose requests are told in the log, by slug.
        calls: counts the requests to stores, but for those that try credentials.
    """

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        registry: Registry,
        session: HttpSession,
        *,
        logged: Collection[str] = (),
        calls: CallStats | None = None,
    ) -> None:
        self._database = database
        self._box = box
        self._registry = registry
        self._session = session
        self._budgets = Budgets(database)
        self._logged = frozenset(logged)
        self._calls = calls

    async def open(
        self,
        tenant_id: int,
        store_id: int,
        *,
        even_inactive: bool = False,
        mapping: FieldMapping | None = None,
    ) -> OpenStore:
        """A client for a store that is there and active, which keeps to the store's budget.

        Args:
            mapping: rules in place of the store's own.

        Raises:
            StoreGoneError: the store was deleted or deactivated.
            SecretError: its credentials cannot be read.
            NotFoundError: its provider is not installed.
        """
        held = await self.open_config(tenant_id, store_id, even_inactive=even_inactive)
        manifest = held.provider.manifest
        session = self._budgeted(tenant_id, store_id, manifest, self._calls)
        facts = held.facts
        if mapping is not None:
            facts = facts.model_copy(update={"field_mapping": mapping})
        client = held.provider.connect(held.config, facts, session)
        return OpenStore(client, manifest, held.settings, session.writes_sent)

    async def open_config(
        self, tenant_id: int, store_id: int, *, even_inactive: bool = False
    ) -> OpenConfig:
        """What a store that is there and active was connected with. Raises as `open` does."""
        return await open_config(
            self._database,
            self._box,
            self._registry,
            (tenant_id, store_id),
            even_inactive=even_inactive,
        )

    async def open_check(self, tenant_id: int, store_check_id: int) -> StoreClient:
        """A client with credentials on trial.

        Raises:
            StoreGoneError: the check expired.
            SecretError: its credentials cannot be read.
        """
        async with self._database.tenant(tenant_id) as connection:
            check = await find_check(connection, store_check_id)
        if check is None:
            raise StoreGoneError("the check expired before it was made: try again")
        provider = self._registry.get(check.provider)
        plain = self._box.open(check.sealed, context=store_context(check.store_id))
        session = self._budgeted(tenant_id, check.store_id, provider.manifest)
        return provider.connect(_read_config(provider.config_model, plain), None, session)

    def _budgeted(
        self, tenant_id: int, store_id: int, manifest: Manifest, calls: CallStats | None = None
    ) -> BudgetedSession:
        session = self._session
        if manifest.slug in self._logged:
            session = LoggedSession(session, store_id=store_id)
        return BudgetedSession(
            session,
            self._budgets,
            tenant_id=tenant_id,
            store_id=store_id,
            requests_per_minute=manifest.requests_per_minute,
            calls=calls,
        )


async def open_config(
    database: Database,
    box: SecretBox,
    registry: Registry,
    whose: tuple[int, int],
    *,
    even_inactive: bool = False,
) -> OpenConfig:
    """What a store (tenant and store) that is there and active was connected with.

    Raises as `StoreOpener.open` does.
    """
    tenant_id, store_id = whose
    async with database.tenant(tenant_id) as connection:
        store = await find_store(connection, store_id)
        sealed = await find_credentials(connection, store_id)
        mapping = await load_mapping(connection, store_id)
    if store is None or sealed is None or not (store.is_active or even_inactive):
        raise StoreGoneError(f"store {store_id} was deleted or deactivated")
    provider = registry.get(store.provider)
    config = _read_config(provider.config_model, box.open(sealed, context=store_context(store_id)))
    return OpenConfig(
        provider,
        config,
        StoreFacts.model_validate(store.facts).model_copy(
            update={"field_mapping": FieldMapping(mapping.rules)}
        ),
        StoreSettings.model_validate(store.settings),
        store.webhook_code,
    )


def _read_config(model: type[StoreConfig], plain: bytes) -> StoreConfig:
    try:
        return model.model_validate_json(plain)
    except ValidationError as error:
        fields = ", ".join(sorted({str(part) for one in error.errors() for part in one["loc"]}))
        raise SecretError(
            f"the stored credentials do not fit the provider any more ({fields}): enter them again"
        ) from None

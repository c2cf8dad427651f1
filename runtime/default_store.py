"""Connecting the store that the environment defines, beside the API and without being in its way.

Every API process tries. What keeps them apart is the database: a code is taken once per tenant, and
credentials are replaced only while they are those that were read. Whoever loses finds the store of
whoever won.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import urlsplit

import structlog
from sqlalchemy.exc import SQLAlchemyError

from activities.sync_models import SyncKind
from api.connecting import change_store, connect_store
from api.problems import ProblemError
from api.scheduling import watch_subscriptions
from api.schemas.stores import CreateStoreBody, UpdateStoreBody
from api.services import ApiServices
from api.temporal import TemporalUnavailableError
from api.woocommerce_sync.default_store import CODE, DefaultStore, find_among
from db.audit import Actor, ActorKind
from db.crypto import store_context
from db.schedules import load_schedules
from db.stores import Store, find_credentials, update_store
from db.tenants import find_default_tenant
from domain.errors import EntrepotError
from domain.sync_settings import Direction, SyncDirections
from providers._kit.protocols import StoreConfig
from runtime.default_store_settings import PROVIDER, DefaultStoreSettings

FIRST_PAUSE_S: Final = 2.0
LONGEST_PAUSE_S: Final = 300.0

_ACTOR: Final = Actor(ActorKind.COMMAND_LINE, name="WOOCOMMERCE_* variables")
_LONGEST_NAME: Final = 120
_NO_TENANT: Final = (
    "There is no default tenant. Where there are several tenants, or the one that is named is not "
    "there, name one of `entrepot tenants list` in ENTREPOT_DEFAULT_TENANT; where there is none, "
    "run `entrepot migrate`, which makes one."
)

_log = structlog.get_logger(__name__)

Sleep = Callable[[float], Awaitable[None]]


class NoDefaultTenantError(EntrepotError):
    """It is not clear whose the default store is."""


async def keep_default_store(
    services: ApiServices, wanted: DefaultStoreSettings, *, sleep: Sleep = asyncio.sleep
) -> Store:
    """Connect the store, or give it the variables' credentials; tries until that is done.

    Returns the store, once it is as the variables say.
    """
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return await ensure_default_store(services, wanted)
        except (ProblemError, EntrepotError, SQLAlchemyError, OSError) as error:
            _tell(error, pause_s)
        await sleep(pause_s)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


async def ensure_default_store(services: ApiServices, wanted: DefaultStoreSettings) -> Store:
    """One try.

    Raises:
        NoDefaultTenantError: it is not clear whose store it is.
        ProblemError: the shop says no, does not answer, or is not the one that was imported.
        TemporalUnavailableError, ConflictError, SQLAlchemyError: it can be tried again.
    """
    async with services.database.lookup() as connection:
        tenant_id = await find_default_tenant(connection, services.config.default_tenant)
    if tenant_id is None:
        raise NoDefaultTenantError(_NO_TENANT)
    held = await find_among(services, tenant_id, wanted.site_url)
    if held is None:
        return await _connect(services, tenant_id, wanted)
    if held.store.code != CODE:
        _log.info(
            "default_store_is_connected_already",
            store_id=held.store.id,
            code=held.store.code,
            reason="The shop of WOOCOMMERCE_SITE_URL was connected by hand. That store is the "
            "default store, and keeps its keys and settings.",
        )
        return held.store
    if await _is_as_wanted(services, held, wanted):
        await _watch_if_nobody_does(services, held)
        return held.store
    body = UpdateStoreBody(config=wanted.form())
    store, _ = await change_store(services, tenant_id, held.store, body, actor=_ACTOR)
    await watch_subscriptions(services, tenant_id, store, renew=True)
    _log.info("default_store_changed", store_id=store.id)
    return store


async def _connect(services: ApiServices, tenant_id: int, wanted: DefaultStoreSettings) -> Store:
    body = CreateStoreBody(
        name=(urlsplit(wanted.site_url).hostname or CODE)[:_LONGEST_NAME],
        code=CODE,
        provider=PROVIDER,
        config=wanted.form(),
        # Customers are pushed too: the sync API has a call for it.
        sync_directions=SyncDirections(customers=Direction.BOTH),
    )
    store = (await connect_store(services, tenant_id, body, actor=_ACTOR)).store
    await _call_it_by_its_name(services, tenant_id, store)
    await watch_subscriptions(services, tenant_id, store)
    _log.info("default_store_connected", store_id=store.id)
    return store


async def _call_it_by_its_name(services: ApiServices, tenant_id: int, store: Store) -> None:
    told = "".join(one for one in str(store.facts.get("store_name", "")) if one.isprintable())
    if name := told.strip()[:_LONGEST_NAME]:
        async with services.database.tenant(tenant_id) as connection:
            await update_store(connection, store.id, {"name": name})


async def _watch_if_nobody_does(services: ApiServices, held: DefaultStore) -> None:
    """A process may be killed, or Temporal be away, right after the store was connected."""
    async with services.database.tenant(held.tenant_id) as connection:
        kept = await load_schedules(connection, held.store.id)
    if held.store.is_active and SyncKind.SUBSCRIPTIONS.value not in kept:
        await watch_subscriptions(services, held.tenant_id, held.store)


async def _is_as_wanted(
    services: ApiServices, held: DefaultStore, wanted: DefaultStoreSettings
) -> bool:
    """Whether the store has the variables' address and keys. A secret that they leave out is its
    own."""
    async with services.database.tenant(held.tenant_id) as connection:
        sealed = await find_credentials(connection, held.store.id)
    if sealed is None:
        return False
    model = services.registry.get(PROVIDER).config_model
    plain = services.secrets.open(sealed, context=store_context(held.store.id))
    kept = model.model_validate_json(plain)
    try:
        asked = model.model_validate(wanted.form())
    except ValueError:
        # The form says what is wrong with them when they are tried.
        return False
    ignored = set() if wanted.webhook_secret is not None else {"webhook_secret"}
    return _plain(kept, ignored) == _plain(asked, ignored)


def _plain(config: StoreConfig, ignored: set[str]) -> dict[str, Any]:
    return {name: value for name, value in config if name not in ignored}


def _tell(error: Exception, pause_s: float) -> None:
    match error:
        case ProblemError():
            reason = error.detail
        case TemporalUnavailableError():
            reason = f"Temporal does not answer: {error}"
        case EntrepotError():
            reason = str(error)
        case _:
            reason = type(error).__name__
    _log.warning("default_store_not_connected", reason=reason, next_try_s=pause_s)

"""Connecting a store, and giving a connected one other credentials."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncConnection

from api import problems
from api.auditing import record_store_change
from api.connection_form import Form, fill_in, is_same_shop, is_webhook_secret, merge
from api.imports import start_import
from api.one_shop import Change, find_former, refuse_another, refuse_other_shop
from api.problems import ProblemError
from api.schemas.stores import CreateStoreBody, UpdateStoreBody
from api.services import ApiServices
from api.stock_settings import check_stock_settings, follow_stock_settings, wake_for_stock
from api.stopping import wait_for_end
from api.store_settings import changed_settings, initial_settings
from api.temporal import TemporalUnavailableError
from api.trials import judge_or_refuse, trial_of_new
from db.audit import Actor, record_audit
from db.crypto import Sealed, store_context
from db.initial_push import enqueue_catalogue
from db.lane_failures import resume_store_lanes
from db.shops import bring_back, lock_shops
from db.store_checks import (
    NewStore,
    StoreCheck,
    allocate_store_id,
    promote_check,
    replace_credentials,
)
from db.stores import (
    Store,
    find_credentials,
    find_store,
    has_links,
    is_code_taken,
    update_store,
)
from domain.errors import NotFoundError
from domain.lanes import LaneKind
from providers._kit.protocols import Provider
from workflows.ids import import_id

_log = structlog.get_logger(__name__)

_WEBHOOK_CODE_BYTES = 24


@dataclass(frozen=True, slots=True)
class Connected:
    """A store that was just connected. `generated_secret` is its webhook secret, if it was made;
    `returned`: it was connected before, and is the store it was."""

    store: Store
    generated_secret: SecretStr | None
    returned: bool = False


async def connect_store(
    services: ApiServices,
    tenant_id: int,
    body: CreateStoreBody,
    *,
    actor: Actor,
    webhook_code: str | None = None,
) -> Connected:
    """Try the credentials and keep the store if they are right; nothing is kept if they are not.

    A shop whose store was deleted becomes that store again. `actor` is who connects it.
    `webhook_code` is given where the shop was told its webhook addresses before; otherwise a new
    one is made.

    Raises:
        ProblemError: the form is wrong, the code is taken, the shop is a store already, or it says
            no.
        ConflictError: the code was taken while the credentials were tried.
    """
    provider = _provider(services, body.provider)
    settings = initial_settings(provider.manifest, body.settings, body.sync_directions)
    form = fill_in(provider, body.config)
    async with services.database.tenant(tenant_id) as connection:
        if await is_code_taken(connection, body.code):
            raise _code_taken(body.code)
        await find_former(services, connection, provider, form, form.config.store_url)
        store_id = await allocate_store_id(connection)
    check = StoreCheck(store_id, body.provider, _sealed(services, form, store_id))
    async with trial_of_new(services, tenant_id, check) as trial:
        facts = await judge_or_refuse(services, trial)
        new = NewStore(
            name=body.name,
            code=body.code,
            webhook_code=webhook_code or new_webhook_code(),
            store_url=str(facts["store_url"]),
            facts=facts,
            settings=settings,
        )
        async with services.database.tenant(tenant_id) as connection:
            await lock_shops(connection, tenant_id)
            former = await find_former(services, connection, provider, form, new.store_url)
            await check_stock_settings(connection, tenant_id, settings)
            if former is None:
                await promote_check(connection, trial.check_id, new)
            else:
                store_id = former.store_id
                sealed = _sealed(services, form, store_id)
                await bring_back(connection, tenant_id, store_id, trial.check_id, new, sealed)
            await record_audit(
                connection,
                tenant_id,
                actor,
                "store.created" if former is None else "store.returned",
                f"store/{store_id}",
                code=body.code,
                provider=body.provider,
            )
    store = await get_store(services, tenant_id, store_id)
    return Connected(store, form.generated_secret, returned=former is not None)


def new_webhook_code() -> str:
    """A store's name in webhook addresses, as good as a password."""
    return secrets.token_urlsafe(_WEBHOOK_CODE_BYTES)


async def first_import(
    services: ApiServices, tenant_id: int, made: Connected, *, actor: Actor
) -> tuple[str | None, str | None]:
    """Start the first import. Returns (workflow id, warning): the store stays, whatever happens."""
    store = made.store
    try:
        if made.returned:
            # The import that its deletion cancelled may be at its last step.
            await wait_for_end(services, import_id(store.id))
        started = await start_import(services, tenant_id, store, actor=actor)
    except TemporalUnavailableError as error:
        _log.warning("first_import_not_started", store_id=store.id, reason=str(error))
        return None, (
            "The store is connected, but its import could not be started because the workflow "
            f"service does not answer. Start it with POST /api/stores/{store.id}/import."
        )
    if made.returned and started.already_running:
        return None, (
            "The store is connected, but an import from before it was deleted is still ending. "
            f"Start its import with POST /api/stores/{store.id}/import in a minute."
        )
    return started.workflow_id, None


async def send_catalogue(services: ApiServices, tenant_id: int, store: Store) -> None:
    """What the hub has becomes due to be sent, where the store's directions say so: also what the
    store has, for it was told of no change while its directions were others. What is alike is
    settled without a request, but for stock, which is read."""
    queued = await services.database.transact(
        tenant_id,
        lambda one: enqueue_catalogue(one, tenant_id, store.id, missing_only=False),
    )
    if queued and store.is_active:
        await services.waker.wake(tenant_id, LaneKind.PUSH, store.id)


async def change_store(
    services: ApiServices, tenant_id: int, store: Store, body: UpdateStoreBody, *, actor: Actor
) -> tuple[Store, SecretStr | None]:
    """Change a store. A new connection is tried first; if it fails, nothing is changed at all.

    Returns the store, and its webhook secret if it was generated. `actor` is who changes it.

    Raises:
        ProblemError: the form is wrong, the store says no, or it is another shop.
        ConflictError: the code is taken, or someone else changed the store meanwhile.
    """
    values: dict[str, Any] = {
        name: getattr(body, name) for name in ("name", "code") if name in body.model_fields_set
    }
    if body.settings is not None or body.sync_directions is not None:
        values["settings"] = changed_settings(
            _provider(services, store.provider).manifest,
            store.settings,
            body.settings,
            body.sync_directions,
        )
    generated = None
    if "config" in body.model_fields_set:
        generated = await _change_connection(services, tenant_id, store, body, values, actor)
    elif values:
        async with services.database.tenant(tenant_id) as connection:
            await follow_stock_settings(connection, tenant_id, store, values)
            await update_store(connection, store.id, values)
            await record_store_change(connection, tenant_id, actor, store, values)
    await wake_for_stock(services, tenant_id, store, values)
    return await get_store(services, tenant_id, store.id), generated


async def get_store(services: ApiServices, tenant_id: int, store_id: int) -> Store:
    """One of the tenant's stores. Raises ProblemError (404)."""
    async with services.database.tenant(tenant_id) as connection:
        store = await find_store(connection, store_id)
    if store is None:
        raise problems.not_found(f"store {store_id}", "/api/stores")
    return store


async def _change_connection(
    services: ApiServices,
    tenant_id: int,
    store: Store,
    body: UpdateStoreBody,
    values: Mapping[str, Any],
    actor: Actor,
) -> SecretStr | None:
    provider = _provider(services, store.provider)
    async with services.database.tenant(tenant_id) as connection:
        code = body.code if body.code != store.code else None
        if code and await is_code_taken(connection, code):
            raise _code_taken(code)
        kept = await find_credentials(connection, store.id)
        is_imported = await has_links(connection, store.id)
    if kept is None:
        raise problems.not_found(f"store {store.id}", "/api/stores")
    before = services.secrets.open(kept, context=store_context(store.id))
    form = merge(provider, before, body.config)
    refuse_other_shop(store, form.config.store_url, body, is_imported=is_imported)
    change = Change(provider, store, before, form)
    async with services.database.tenant(tenant_id) as connection:
        await refuse_another(services, connection, change, form.config.store_url)
    check = StoreCheck(store.id, store.provider, _sealed(services, form, store.id))
    async with trial_of_new(services, tenant_id, check) as trial:
        facts = await judge_or_refuse(services, trial)
        found_url = str(facts["store_url"])
        if not is_same_shop(found_url, form.config.store_url):
            refuse_other_shop(store, found_url, body, is_imported=is_imported)
        changed = {**values, "facts": facts, "store_url": found_url}
        async with services.database.tenant(tenant_id) as connection:
            await lock_shops(connection, tenant_id)
            await refuse_another(services, connection, change, found_url)
            # Lanes before their store: drains that fail lock them in this order.
            resumed = await resume_store_lanes(connection, tenant_id, store.id)
            await follow_stock_settings(connection, tenant_id, store, values)
            replaced = await _as_kept_now(services, connection, store.id, kept, before)
            await replace_credentials(connection, trial.check_id, changed, replaces=replaced)
            await record_store_change(
                connection, tenant_id, actor, store, values, config=tuple(body.config)
            )
            if form.generated_secret is not None or any(map(is_webhook_secret, body.config)):
                what = ("webhook_secret.renewed", f"store/{store.id}")
                await record_audit(connection, tenant_id, actor, *what)
    for kind in resumed:
        await services.waker.wake(tenant_id, kind, store.id)
    return form.generated_secret


async def _as_kept_now(
    services: ApiServices, connection: AsyncConnection, store_id: int, kept: Sealed, plain: bytes
) -> Sealed:
    """The same credentials as they are kept now: another master key is no change of a store."""
    now_kept = await find_credentials(connection, store_id, for_update=True)
    if now_kept is None or now_kept == kept:
        return kept
    is_same = services.secrets.open(now_kept, context=store_context(store_id)) == plain
    return now_kept if is_same else kept


def _provider(services: ApiServices, slug: str) -> Provider:
    try:
        return services.registry.get(slug)
    except NotFoundError:
        known = ", ".join(provider.manifest.slug for provider in services.registry.all())
        raise problems.invalid(
            "/provider", f"There is no such provider. GET /api/providers lists them: {known}."
        ) from None


def _sealed(services: ApiServices, form: Form, store_id: int) -> Sealed:
    return services.secrets.seal(form.plain, context=store_context(store_id))


def _code_taken(code: str) -> ProblemError:
    return ProblemError(
        problems.CONFLICT,
        f"There is a store with the code {code!r} already: choose another.",
        errors=[problems.FieldProblem(pointer="/code", detail="It is taken.")],
    )

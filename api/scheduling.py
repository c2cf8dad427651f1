"""A store's schedules: Temporal keeps the clock, rows tell what was asked for.

Temporal comes first and the row last: a request that fails in between has changed what is done and
not what is shown, and the same request again (all of them are idempotent) puts that right.
"""

from collections.abc import Mapping

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.sync_models import SyncKind
from api import problems
from api.auth import Principal
from api.problems import UNAVAILABLE, ProblemError
from api.schemas.schedules import ScheduleBody
from api.services import ApiServices
from api.temporal import TemporalUnavailableError
from api.temporal_syncs import WrongCronError
from api.webhook_urls import webhook_urls
from db.audit import record_audit
from db.schedules import KeptSchedule, forget_schedules, keep_schedule, load_schedules
from db.stores import Store
from domain.errors import NotFoundError
from domain.schedules import ScheduleSpec
from workflows.models import SubscriptionsInput, SyncStoreInput

_log = structlog.get_logger(__name__)

FIELDS = {
    SyncKind.PULL: "pull",
    SyncKind.RECONCILE: "reconcile",
    SyncKind.STOCK_SWEEP: "stock_sweep",
}
CHECK_SUBSCRIPTIONS = ScheduleSpec.model_validate({"interval": "PT1H", "jitter": "PT5M"})


def unavailable(error: TemporalUnavailableError) -> ProblemError:
    """A problem for what only Temporal can do."""
    _log.warning("temporal_unavailable", reason=str(error))
    return ProblemError(
        UNAVAILABLE,
        "The workflow service does not answer, so nothing was changed: send the request again.",
        headers={"Retry-After": "10"},
    )


def sync_input(
    services: ApiServices, tenant_id: int, store: Store, kind: SyncKind, **more: object
) -> SyncStoreInput:
    """What a sync of this store is started with."""
    return SyncStoreInput.model_validate(
        {
            "tenant_id": tenant_id,
            "store_id": store.id,
            "provider": store.provider,
            "ladder_s": services.config.ladder_s,
            "kind": kind,
            **more,
        }
    )


def subscriptions_input(
    services: ApiServices, tenant_id: int, store: Store, *, renew: bool = False
) -> SubscriptionsInput:
    """What a look after this store's webhooks is started with."""
    return SubscriptionsInput(
        tenant_id=tenant_id,
        store_id=store.id,
        provider=store.provider,
        ladder_s=services.config.ladder_s,
        renew=renew,
    )


async def replace_schedules(
    services: ApiServices, principal: Principal, store: Store, body: ScheduleBody
) -> None:
    """Make the store's schedules these and no others. Raises ProblemError (422, 503)."""
    tenant_id = principal.tenant_id
    async with services.database.tenant(tenant_id) as connection:
        held = await load_schedules(connection, store.id)
    is_paused = any(one.paused for kind, one in held.items() if kind in FIELDS)
    for kind, name in FIELDS.items():
        spec: ScheduleSpec | None = getattr(body, name)
        if spec is None:
            await _delete(services, principal, store.id, kind)
            continue
        try:
            await services.temporal.put_schedule(
                kind,
                sync_input(services, tenant_id, store, kind),
                spec,
                paused=is_paused or not store.is_active,
            )
        except WrongCronError as error:
            raise problems.invalid(f"/{kind.value}/cron", str(error)) from None
        except TemporalUnavailableError as error:
            raise unavailable(error) from error
        kept = KeptSchedule(kind.value, spec.model_dump(mode="json", by_alias=True), is_paused)
        async with services.database.tenant(tenant_id) as connection:
            await keep_schedule(connection, tenant_id, store.id, kept)
            if held.get(kind.value) != kept:
                await _record(connection, principal, "schedule.updated", store.id, kind)


async def drop_schedules(services: ApiServices, principal: Principal, store_id: int) -> None:
    """Delete the schedules people made. Raises ProblemError (503)."""
    for kind in FIELDS:
        await _delete(services, principal, store_id, kind)


async def rest_schedules(
    services: ApiServices, store_id: int, held: Mapping[str, KeptSchedule], *, resting: bool
) -> None:
    """Stop what is scheduled while the store is inactive; what a person stopped stays stopped.

    Raises:
        TemporalUnavailableError: some may not be done; what is scheduled meanwhile finds the store
            inactive and does nothing.
    """
    for kind, one in held.items():
        if not one.paused:
            await services.temporal.pause_schedule(store_id, SyncKind(kind), paused=resting)


async def watch_subscriptions(
    services: ApiServices, tenant_id: int, store: Store, *, renew: bool = False
) -> None:
    """Best effort: have the store's webhooks looked after now and once an hour.

    For providers that let us make webhooks, and where shops can reach us. What could not be
    scheduled now is so with the next activation or change of the connection.
    """
    if not _has_webhooks(services, store):
        return
    args = subscriptions_input(services, tenant_id, store)
    kind = SyncKind.SUBSCRIPTIONS
    try:
        await services.temporal.put_schedule(kind, args, CHECK_SUBSCRIPTIONS, paused=False)
        await services.temporal.check_subscriptions(
            subscriptions_input(services, tenant_id, store, renew=renew)
        )
    except TemporalUnavailableError as error:
        _log.warning("subscriptions_not_watched", store_id=store.id, reason=str(error))
        return
    spec = CHECK_SUBSCRIPTIONS.model_dump(mode="json", by_alias=True)
    async with services.database.tenant(tenant_id) as connection:
        await keep_schedule(connection, tenant_id, store.id, KeptSchedule(kind.value, spec))


def _has_webhooks(services: ApiServices, store: Store) -> bool:
    urls = webhook_urls(services.config, store.webhook_code, own_url="")
    try:
        webhooks = services.registry.get(store.provider).webhooks
    except NotFoundError:
        return False
    is_reachable = urls.unreachable_reason is None or services.config.shops_are_near
    return (
        services.config.public_url is not None
        and is_reachable
        and bool(webhooks and webhooks.topics)
    )


async def _delete(
    services: ApiServices, principal: Principal, store_id: int, kind: SyncKind
) -> None:
    try:
        await services.temporal.delete_schedule(store_id, kind)
    except TemporalUnavailableError as error:
        raise unavailable(error) from error
    async with services.database.tenant(principal.tenant_id) as connection:
        if await forget_schedules(connection, store_id, [kind.value]):
            await _record(connection, principal, "schedule.deleted", store_id, kind)


async def _record(
    connection: AsyncConnection, principal: Principal, action: str, store_id: int, kind: SyncKind
) -> None:
    subject = f"store/{store_id}"
    await record_audit(
        connection, principal.tenant_id, principal.actor, action, subject, kind=kind.value
    )

"""A store's schedules: Temporal keeps the clock, rows tell what was asked for.

A row changes before its schedule does, in the transaction of the entry that tells of it. So what is
asked for as the rows have it is no news. A request that is cut short in between leaves the rows as
it wanted them: the same again (all are idempotent) makes it so.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import structlog

from activities.sync_models import SyncKind
from api import problems
from api.auth import Principal
from api.on_record import Asked, Intent, Write, asking, check_reachable, start_on_record
from api.problems import UNAVAILABLE, ProblemError
from api.schemas.schedules import ScheduleBody
from api.services import ApiServices
from api.temporal import Started, TemporalUnavailableError
from api.temporal_syncs import WrongCronError
from api.webhook_urls import webhook_urls
from db.schedules import (
    KeptSchedule,
    forget_schedules,
    keep_schedule,
    load_schedules,
    pause_schedules,
)
from db.stores import Store
from domain.errors import NotFoundError
from domain.schedules import ScheduleSpec
from workflows.ids import sync_id
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
    known = "nothing was changed" if error.did_nothing else "nobody knows whether it was done"
    return ProblemError(
        UNAVAILABLE,
        f"The workflow service does not answer, so {known}: send the request again.",
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


async def start_sync(services: ApiServices, principal: Principal, args: SyncStoreInput) -> Started:
    """Start a sync, or find the one of its kind that runs. Raises TemporalUnavailableError."""
    intent = _intent(principal, "sync.started", args.store_id, args.kind)
    workflow_id = sync_id(args.store_id, args.kind.value)
    return await start_on_record(
        services, intent, workflow_id, lambda: services.temporal.start_sync(args)
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
    held = await _held(services, principal.tenant_id, store.id)
    is_paused = any(one.paused for one in held.values())
    with _told():
        await check_reachable(services)
        for kind, name in FIELDS.items():
            spec: ScheduleSpec | None = getattr(body, name)
            before = held.get(kind.value)
            if spec is None:
                await _delete(services, principal, store.id, kind, before)
                continue
            kept = KeptSchedule(kind.value, spec.model_dump(mode="json", by_alias=True), is_paused)
            try:
                await _put(services, principal, store, kept, before)
            except WrongCronError as error:
                raise problems.invalid(f"/{kind.value}/cron", str(error)) from None


async def drop_schedules(services: ApiServices, principal: Principal, store_id: int) -> None:
    """Delete the schedules people made. Raises ProblemError (503)."""
    held = await _held(services, principal.tenant_id, store_id)
    with _told():
        await check_reachable(services)
        for kind in FIELDS:
            await _delete(services, principal, store_id, kind, held.get(kind.value))


async def pause_or_resume(
    services: ApiServices, principal: Principal, store: Store, *, paused: bool
) -> None:
    """Stop what people scheduled, or let it go on. Raises ProblemError (503)."""
    held = await _held(services, principal.tenant_id, store.id)
    changed = [kind for kind, one in held.items() if one.paused is not paused]

    def written(*, paused: bool) -> Write:
        return lambda one: pause_schedules(one, store.id, changed, paused=paused)

    async def ask(asked: Asked | None) -> None:
        for kind in FIELDS:
            await services.temporal.pause_schedule(
                store.id, kind, paused=paused or not store.is_active
            )
            if asked is not None:
                asked.is_begun = True

    with _told():
        await check_reachable(services)
        if not changed:
            await ask(None)
            return
        intent = Intent(
            principal.tenant_id,
            principal.actor,
            "schedule.paused" if paused else "schedule.resumed",
            f"store/{store.id}",
        )
        do, undo = written(paused=paused), written(paused=not paused)
        async with asking(services, intent, do=do, undo=undo) as asked:
            await ask(asked)


async def trigger_now(
    services: ApiServices, principal: Principal, store_id: int, kind: SyncKind
) -> None:
    """Do now what the schedule does. Raises ProblemError (503)."""
    with _told():
        await check_reachable(services)
        async with asking(services, _intent(principal, "schedule.triggered", store_id, kind)):
            await services.temporal.trigger_schedule(store_id, kind)


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


@contextmanager
def _told() -> Iterator[None]:
    """Turns Temporal's silence into a problem."""
    try:
        yield
    except TemporalUnavailableError as error:
        raise unavailable(error) from error


async def _held(services: ApiServices, tenant_id: int, store_id: int) -> Mapping[str, KeptSchedule]:
    """The schedules that people made, by kind."""
    async with services.database.tenant(tenant_id) as connection:
        held = await load_schedules(connection, store_id)
    return {kind: one for kind, one in held.items() if kind in FIELDS}


async def _put(
    services: ApiServices,
    principal: Principal,
    store: Store,
    kept: KeptSchedule,
    before: KeptSchedule | None,
) -> None:
    kind, spec = SyncKind(kept.kind), ScheduleSpec.model_validate(kept.spec)
    args = sync_input(services, principal.tenant_id, store, kind)
    is_resting = kept.paused or not store.is_active
    if kept == before:  # asked for before, and on record since then
        await services.temporal.put_schedule(kind, args, spec, paused=is_resting)
        return
    intent = _intent(principal, "schedule.updated", store.id, kind)
    do, undo = _written(intent, store.id, kind, kept), _written(intent, store.id, kind, before)
    async with asking(services, intent, do=do, undo=undo):
        await services.temporal.put_schedule(kind, args, spec, paused=is_resting)


async def _delete(
    services: ApiServices,
    principal: Principal,
    store_id: int,
    kind: SyncKind,
    before: KeptSchedule | None,
) -> None:
    if before is None:  # or it was asked for before, and did not come through
        await services.temporal.delete_schedule(store_id, kind)
        return
    intent = _intent(principal, "schedule.deleted", store_id, kind)
    do, undo = _written(intent, store_id, kind, None), _written(intent, store_id, kind, before)
    async with asking(services, intent, do=do, undo=undo):
        await services.temporal.delete_schedule(store_id, kind)


def _written(intent: Intent, store_id: int, kind: SyncKind, kept: KeptSchedule | None) -> Write:
    """Writes the row of a schedule; takes it away for None."""
    if kept is None:
        return lambda one: forget_schedules(one, store_id, [kind.value])
    return lambda one: keep_schedule(one, intent.tenant_id, store_id, kept)


def _intent(principal: Principal, action: str, store_id: int, kind: SyncKind) -> Intent:
    details = {"kind": kind.value}
    return Intent(principal.tenant_id, principal.actor, action, f"store/{store_id}", details)

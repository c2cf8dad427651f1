"""Dry runs of imports and syncs: demands that only tell what they would do."""

from collections.abc import Sequence

from starlette.responses import Response

from activities.demand_models import PullDemand
from activities.models import PullMode
from activities.sync_models import SyncKind
from api import problems
from api.auth import Principal
from api.demanding import check_active, demand_input, start_demand
from api.schemas.schedules import SyncBody
from api.services import ApiServices
from api.store_settings import held_settings
from db.stores import Store
from domain.entities import IMPORT_ORDER, Entity


async def start_dry_import(services: ApiServices, principal: Principal, store: Store) -> Response:
    """Start a dry run of an import, or find the one that is running: 202.

    Raises:
        ProblemError: 409, the store is not active; 503, it could not be started.
    """
    pulls = _pulls(services, store, mode=PullMode.IMPORT)
    return await _start(services, principal, store, "import", pulls)


async def start_dry_sync(
    services: ApiServices, principal: Principal, store: Store, asked: SyncBody
) -> Response:
    """The same for a sync. Raises ProblemError (409, 503; 422: its kind has no dry run)."""
    kind = SyncKind(asked.kind)
    if kind is SyncKind.STOCK_SWEEP:
        raise problems.invalid(
            "/dryRun",
            "A stock sweep has no dry run: leave `dryRun` out, or send `kind: reconcile`.",
        )
    pulls = _pulls(
        services,
        store,
        entities=asked.entities,
        mode=PullMode.RECONCILE if kind is SyncKind.RECONCILE else None,
        force=asked.force,
    )
    return await _start(services, principal, store, f"sync-{kind.value}", pulls)


def _pulls(
    services: ApiServices,
    store: Store,
    *,
    entities: Sequence[Entity] = (),
    mode: PullMode | None = None,
    force: bool = False,
) -> tuple[PullDemand, ...]:
    """What is pulled, in order; without `entities` all that the store takes part in."""
    known = services.registry.get(store.provider).manifest.entities
    directions = held_settings(store.settings).sync_directions
    return tuple(
        PullDemand(entity=one, mode=mode, force=force)
        for one in IMPORT_ORDER
        if one in known
        and (not entities or one in entities)
        and (one is Entity.ORDERS or directions.of(one).pulls)
    )


async def _start(
    services: ApiServices,
    principal: Principal,
    store: Store,
    name: str,
    pulls: Sequence[PullDemand],
) -> Response:
    check_active(store)
    args = demand_input(services, principal, store, name, pulls=pulls, is_dry=True)
    return await start_demand(services, principal, args)

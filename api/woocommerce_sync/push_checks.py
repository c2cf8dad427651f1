"""What has to be right before something is sent because somebody asks for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from activities.demand_models import PushDemand
from api import problems
from api.problems import CONFLICT, ProblemError
from api.services import ApiServices
from api.store_settings import held_settings
from db.demanded_records import find_misfits
from db.stores import Store
from domain.entities import Entity
from domain.sync_settings import Direction

_SHOWN: Final = 20
_IDS_FIELD: Final = {Entity.CUSTOMERS: "customerIds", Entity.INVENTORY: "productIds"}


def push_demand(
    entity: Entity,
    record_ids: Sequence[int],
    since: datetime | None,
    *,
    is_all: bool,
    force: bool,
) -> PushDemand:
    """What is meant. Raises ProblemError (422) unless it is said in exactly one way."""
    field = _IDS_FIELD[entity]
    said = (bool(record_ids), is_all, since is not None)
    if sum(said) != 1:
        ways = f"{field} (at least one), syncAll: true, or syncModifiedSince"
        more = "say only one of them" if any(said) else "nothing says which are meant"
        raise problems.invalid(f"/{field}", f"Send exactly one of {ways}: {more}.")
    return PushDemand(
        entity=entity,
        record_ids=tuple(record_ids),
        all_records=is_all,
        modified_since=since,
        force=force,
    )


async def check_demand(
    services: ApiServices, tenant_id: int, store: Store, demand: PushDemand
) -> Store:
    """The store, which can be sent this.

    Raises:
        ProblemError: 409, it has this switched off; 422, of the records named some are unknown, or
            none of the store's.
    """
    check_direction(store, demand.entity)
    if demand.record_ids:
        async with services.database.tenant(tenant_id) as connection:
            misfits = await find_misfits(connection, store.id, demand.entity, demand.record_ids)
        field = _IDS_FIELD[demand.entity]
        if misfits.unknown:
            ids = _told(misfits.unknown)
            raise problems.invalid(f"/{field}", f"The hub has no such records: {ids}.")
        if misfits.unsendable:
            ids = _told(misfits.unsendable)
            raise problems.invalid(f"/{field}", why_not(demand.entity, store, ids))
    return store


def why_not(entity: Entity, store: Store, ids: str) -> str:
    """Why these are no records that the store can be sent."""
    if entity is Entity.CUSTOMERS:
        return f"Guests have no account in a store, and cannot be sent: {ids}. Leave them out."
    return (
        f"Store {store.id} does not have these products: {ids}. Send the products first "
        "(syncDirections.products), or leave them out."
    )


def _told(ids: Sequence[int]) -> str:
    more = f" and {len(ids) - _SHOWN} more" if len(ids) > _SHOWN else ""
    return ", ".join(str(one) for one in ids[:_SHOWN]) + more


def check_direction(store: Store, entity: Entity) -> Store:
    """What somebody asks for goes whatever the store's direction is, unless it is `off`."""
    if held_settings(store.settings).sync_directions.of(entity) is Direction.OFF:
        raise ProblemError(
            CONFLICT,
            f"Store {store.id} has {entity.value} switched off: set "
            f"settings.syncDirections.{entity.value} to pull, push or both with "
            f"PATCH /api/stores/{store.id}, then ask again.",
        )
    return store

"""From what somebody asks for to what is demanded of the store."""

from collections.abc import Sequence
from typing import Final

from activities.demand_models import PullDemand, PushDemand
from api.problems import INVALID, FieldProblem, ProblemError
from api.schemas.woocommerce_sync_pulls import (
    LARGEST_PAGE,
    BatchBody,
    CustomersPullBody,
    FullSyncBody,
    OrdersPullBody,
    ProductsPullBody,
)
from api.store_settings import held_settings
from api.woocommerce_sync.push_checks import check_direction
from db.stores import Store
from domain.entities import IMPORT_ORDER, Entity
from domain.sync_settings import PUSHED, Direction

ANY: Final = "any"
_BATCH: Final = (Entity.PRODUCTS, Entity.CUSTOMERS, Entity.ORDERS)


def customers_pull(body: CustomersPullBody) -> PullDemand:
    """Customers, from a page on."""
    return PullDemand(
        entity=Entity.CUSTOMERS,
        first_page=body.page,
        page_size=min(body.limit, LARGEST_PAGE),
        limit=body.limit,
        force=body.force,
    )


def products_pull(body: ProductsPullBody) -> PullDemand:
    """Products of a status."""
    return PullDemand(
        entity=Entity.PRODUCTS,
        status=_status(body.status),
        page_size=min(body.limit, LARGEST_PAGE),
        limit=body.limit,
        force=body.force,
    )


def orders_pull(body: OrdersPullBody) -> PullDemand:
    """Orders of a status, placed since a moment."""
    return PullDemand(
        entity=Entity.ORDERS,
        status=_status(body.status),
        after=body.after,
        page_size=min(body.limit, LARGEST_PAGE),
        limit=body.limit,
        force=body.force,
    )


def one_record(entity: Entity, external_id: str, *, force: bool) -> PullDemand:
    """One record by the store's id."""
    return PullDemand(entity=entity, external_ids=(external_id,), force=force)


def full_pulls(store: Store, body: FullSyncBody) -> Sequence[PullDemand]:
    """Every entity that this store's records are taken in of."""
    if body.direction == "push":
        return ()
    directions = held_settings(store.settings).sync_directions
    return [
        PullDemand(entity=entity, page_size=body.batch_size, force=body.force)
        for entity in IMPORT_ORDER
        if entity is Entity.ORDERS or directions.of(entity).pulls
    ]


def full_pushes(store: Store, body: FullSyncBody) -> Sequence[PushDemand]:
    """Every entity that this store is told of; of orders only statuses that it may not have.

    Forced, those of all would be written again, and a shop acts on each: it mails, it refunds.
    """
    if body.direction == "pull":
        return ()
    directions = held_settings(store.settings).sync_directions
    return [
        PushDemand(
            entity=entity, all_records=True, force=body.force and entity is not Entity.ORDERS
        )
        for entity in PUSHED
        if directions.of(entity).pushes
    ]


def batch_pulls(store: Store, body: BatchBody) -> Sequence[PullDemand]:
    """The newest of each entity that was chosen. Raises ProblemError (422; 409 if one is named)."""
    chosen = [entity for entity in _BATCH if body.means(entity.value)]
    if not chosen and not body.means("inventory"):
        detail = "Choose at least one of customers, products, orders and inventory."
        raise ProblemError(INVALID, detail, errors=[FieldProblem(pointer="", detail=detail)])
    return [
        PullDemand(
            entity=check_pull(store, entity),
            page_size=min(body.limit, LARGEST_PAGE),
            limit=body.limit,
            force=body.force,
        )
        for entity in chosen
        if entity is Entity.ORDERS or not _is_left_out(store, body, entity)
    ]


def batch_pushes(store: Store, body: BatchBody) -> Sequence[PushDemand]:
    """The stock, if it was chosen. Raises ProblemError (409, if it is named)."""
    if not body.means("inventory") or _is_left_out(store, body, Entity.INVENTORY):
        return ()
    check_direction(store, Entity.INVENTORY)
    return [
        PushDemand(entity=Entity.INVENTORY, all_records=True, limit=body.limit, force=body.force)
    ]


def _is_left_out(store: Store, body: BatchBody, entity: Entity) -> bool:
    """Whether it is switched off, and only meant as one of all."""
    ways = held_settings(store.settings).sync_directions
    return not body.names(entity.value) and ways.of(entity) is Direction.OFF


def check_pull(store: Store, entity: Entity) -> Entity:
    """The entity. Raises ProblemError (409): it is switched off. Orders always come in."""
    if entity is not Entity.ORDERS:
        check_direction(store, entity)
    return entity


def _status(word: str) -> str:
    return ANY if word == "all" else word

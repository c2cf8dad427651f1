"""What a store does not have any more: whether that can be true, and what is done about it."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.models import PullMode, SettleSweepInput
from db import drift
from db.alerts import AlertKind, NewAlert, raise_alert, resolve_alerts
from db.drift import Gone
from db.session import Database
from domain.entities import Entity
from domain.pages import Page
from domain.records import Record
from domain.sync_settings import StoreSettings


async def hold_back(
    connection: AsyncConnection,
    args: SettleSweepInput,
    settings: StoreSettings,
    gone: Sequence[str],
) -> bool:
    """Whether so much would be deleted that a person has to say so first; then it is an alert.

    An import has no brake: it copies what there is. One record alone is never too much.
    """
    if args.mode is PullMode.IMPORT:
        return False
    linked = await drift.count_linked(connection, args.store_id, args.entity)
    share = settings.max_delete_share
    subject = f"{args.store_id}/{args.entity.value}"
    if args.force or len(gone) <= 1 or len(gone) <= share * linked:
        await resolve_alerts(connection, kind=AlertKind.MASS_DELETE, subject=subject)
        return False
    await drift.note_gone(
        connection,
        args.tenant_id,
        args.store_id,
        args.entity,
        Gone(gone, "not deleted: too many would go at once", is_repaired=False),
    )
    await raise_alert(
        connection,
        NewAlert(
            tenant_id=args.tenant_id,
            kind=AlertKind.MASS_DELETE,
            subject=subject,
            title=f"{len(gone)} of {linked} {args.entity.value} would be deleted",
            message=(
                f"Store {args.store_id} does not list {len(gone)} of {linked} {args.entity.value} "
                f"any more, which is more than {share:.0%}. Nothing was deleted. If that is right, "
                "repeat the sync with force; if not, look at the store."
            ),
            store_id=args.store_id,
            command=(
                f"POST /api/stores/{args.store_id}/sync "
                f'{{"kind": "reconcile", "entities": ["{args.entity.value}"], "force": true}}'
            ),
            details={"gone": len(gone), "linked": linked},
        ),
    )
    return True


async def settle_gone(
    database: Database, args: SettleSweepInput, settings: StoreSettings, page: Page[Record]
) -> Page[Record]:
    """Note what a second read confirmed is gone, and send again what the hub gave the store.

    Returns the page without what is sent again, to be applied.
    """
    if not page.tombstones or args.force:
        return page
    async with database.tenant(args.tenant_id) as connection:
        again: Sequence[str] = ()
        if _is_sent(settings, args.entity):
            again = await drift.list_from_hub(
                connection, args.store_id, args.entity, page.tombstones
            )
        rest = tuple(key for key in page.tombstones if key not in set(again))
        for keys, details in (
            (again, "the store lost it: it is sent again"),
            (rest, "the store deleted it, and so does the hub"),
        ):
            if keys:
                await drift.note_gone(
                    connection,
                    args.tenant_id,
                    args.store_id,
                    args.entity,
                    Gone(keys, details),
                )
        if again:
            await drift.send_again(connection, args.tenant_id, args.store_id, args.entity, again)
    return replace(page, tombstones=rest)


def _is_sent(settings: StoreSettings, entity: Entity) -> bool:
    return entity is not Entity.ORDERS and settings.sync_directions.of(entity).pushes

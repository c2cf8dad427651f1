"""Looking for orders that no webhook told of, in stores that list none."""

from typing import Final

import structlog
from temporalio import activity

from activities.errors import translated
from activities.heartbeat import heartbeating
from activities.lanes import Waker, wake_pushes
from activities.models import Message, StoreRef
from activities.stores import StoreOpener
from db.apply import apply
from db.order_scans import find_highest_number
from db.session import Database
from db.staging import Origin
from domain.entities import Entity
from domain.errors import StoreGoneError
from providers._kit.protocols import ScansOrders

_log: Final = structlog.get_logger(__name__)


class ScanOrdersResult(Message):
    """How many orders were found that were not known, or were different."""

    found: int = 0


class OrderScanActivities:
    """The step of a sync that scans. Done twice, it finds nothing the second time."""

    def __init__(self, database: Database, opener: StoreOpener, waker: Waker) -> None:
        self._database = database
        self._opener = opener
        self._waker = waker

    @activity.defn
    async def scan_orders(self, args: StoreRef) -> ScanOrdersResult:
        """Take in the orders after the highest number known; nothing where that is not wanted."""
        with translated():
            try:
                store = await self._opener.open(args.tenant_id, args.store_id)
            except StoreGoneError:
                return ScanOrdersResult()
            client = store.client
            if not isinstance(client, ScansOrders) or not client.scans_orders:
                return ScanOrdersResult()
            async with self._database.tenant(args.tenant_id) as connection:
                cursor = await find_highest_number(connection, args.store_id)
            async with heartbeating():
                page = (await client.scan_orders(cursor)).page
            origin = Origin(args.tenant_id, args.store_id)
            applied = await self._database.transact(
                args.tenant_id,
                lambda connection: apply(connection, origin, Entity.ORDERS, page, careful=True),
            )
            if applied.rejected:
                _log.warning("scanned_orders_rejected", count=len(applied.rejected))
            await wake_pushes(self._waker, args.tenant_id, applied.pushes)
            return ScanOrdersResult(found=applied.created + applied.updated)

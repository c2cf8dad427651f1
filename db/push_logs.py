"""What was sent to a store, in the store's log: one row per request, with what came of it."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from db.pushes import Push
from db.tables.stores import STORE_SYNC_LOGS
from domain.entities import Entity

ACTIONS: Final[Mapping[Entity, str]] = {
    Entity.CATEGORIES: "sync_categories",
    Entity.PRODUCTS: "sync_products",
    Entity.CUSTOMERS: "sync_customers",
    Entity.INVENTORY: "update_inventory",
    Entity.ORDERS: "update_order_status",
}
"""The log's words for a push, as the store document has them."""

ERRORS_SHOWN: Final = 5
_LONGEST_ERROR: Final = 2_000


@dataclass(frozen=True, slots=True)
class PushReport:
    """One request.

    Attributes:
        counts: how many of each outcome.
        errors: reasons by the hub's id of the record; the first few are kept, and how many there
            are as `failed`, which the sums by hour add up.
        tries: which try of these records it was, the highest of them.
        run_id: of who asked for it, see `run_of`.
    """

    entity: Entity
    counts: Mapping[str, int]
    errors: Mapping[int, str] = field(default_factory=dict)
    tries: int = 1
    run_id: int | None = None

    @property
    def status(self) -> str:
        """`success` only when the store took everything."""
        return "failed" if self.errors else "success"


def run_of(pushes: Iterable[Push]) -> int | None:
    """The run that asked for what one request sends; None: nobody did, or several."""
    runs = {one.run_id for one in pushes} - {None}
    return runs.pop() if len(runs) == 1 else None


async def log_push(
    connection: AsyncConnection, tenant_id: int, store_id: int, report: PushReport
) -> None:
    """Write the row."""
    shown = list(report.errors.items())[:ERRORS_SHOWN]
    reason = next((reason for _, reason in shown), None)
    counts = {**report.counts, "failed": len(report.errors)}
    details = {
        "direction": "push",
        **{name: count for name, count in counts.items() if count},
        "errors": [{"recordId": record_id, "reason": reason} for record_id, reason in shown],
    }
    await connection.execute(
        insert(STORE_SYNC_LOGS).values(
            tenant_id=tenant_id,
            store_id=store_id,
            run_id=report.run_id,
            action=ACTIONS[report.entity],
            status=report.status,
            details=json.dumps(details),
            error_message=None if reason is None else reason[:_LONGEST_ERROR],
            retry_count=report.tries,
        )
    )

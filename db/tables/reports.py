"""What happened, summed up by hour: reports read these instead of millions of rows.

Triggers of the tables they are about keep them, in the transaction that writes there, so they are
right whoever wrote. They outlive the rows: what retention drops stays counted.
"""

from sqlalchemy import BigInteger, Column, PrimaryKeyConstraint, SmallInteger, String, Table, text

from db.tables.base import METADATA, TIME

COUNTED = (
    *("seen", "created", "updated", "unchanged", "deleted", "rejected", "sent", "failed", "pages"),
)
"""The counts of a log's `details` that are summed up."""

SYNC_LOG_HOURS = Table(
    "sync_log_hours",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("store_id", BigInteger, nullable=False),
    Column("hour", TIME, nullable=False),
    Column("action", String(50), nullable=False),
    Column("direction", String(10), nullable=False),
    Column("status", String(50), nullable=False),
    Column("logs", BigInteger, nullable=False),
    *(Column(name, BigInteger, nullable=False, server_default=text("0")) for name in COUNTED),
    PrimaryKeyConstraint("tenant_id", "store_id", "hour", "action", "direction", "status"),
)
"""`store_sync_logs` by the hour they were begun in; `direction` is pull, push or webhook. Dry runs
are left out."""

WEBHOOK_HOURS = Table(
    "webhook_hours",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("store_id", BigInteger, nullable=False),
    Column("hour", TIME, nullable=False),
    Column("entity", String(20), nullable=False),
    Column("status", String(50), nullable=False),
    Column("outcome", String(30), nullable=False),
    Column("bucket", SmallInteger, nullable=False),
    Column("events", BigInteger, nullable=False),
    PrimaryKeyConstraint("tenant_id", "store_id", "hour", "entity", "status", "outcome", "bucket"),
)
"""`webhook_events` that are not pending any more, by the hour they were received in. `bucket` is
how long it took until they were processed (`domain.latencies`)."""

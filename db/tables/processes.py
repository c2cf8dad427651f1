"""The hub's own processes. No tenant's data: the only table without `tenant_id`.

So it has no row-level security either: there is nothing in it to keep a tenant from.
"""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Double,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
)

from db.tables.base import METADATA, TIME

PROCESSES = Table(
    "processes",
    METADATA,
    Column("id", String(32), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("queues", ARRAY(String(20)), nullable=False),
    Column("started_at", TIME, nullable=False),
    Column("seen_at", TIME, nullable=False),
    Column("cpu_s", Double, nullable=False),
    Column("cpu_percent", Double, nullable=False),
    Column("memory_bytes", BigInteger, nullable=False),
    Column("peak_memory_bytes", BigInteger, nullable=False),
    Column("connections_in_use", Integer, nullable=False),
    Column("connections_max", Integer, nullable=False),
    PrimaryKeyConstraint("id"),
)
"""One row for each API and worker process that runs. `seen_at` is by the database's clock."""

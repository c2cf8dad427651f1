"""Lanes, the inbox of received webhooks, and the outbox of pushes."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)

from db.tables.base import (
    METADATA,
    TIME,
    created_at,
    json_column,
    reference,
    updated_at,
)

LANES = Table(
    "lanes",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    Column("key", BigInteger, nullable=False),
    Column("awake", Boolean, nullable=False, server_default=text("false")),
    Column("epoch", BigInteger, nullable=False, server_default=text("0")),
    Column("failures", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", TIME),
    Column("last_error", Text),
    Column("paused_reason", Text),
    created_at(),
    updated_at(),
    Column("drained_at", TIME),
    PrimaryKeyConstraint("tenant_id", "kind", "key"),
)
"""The ordered work for one outside party: `inbox` and `push` of a store, `alert` of a tenant.

`awake`: a drain will look at the rows by itself. `next_attempt_at`: the lane waits until then.
`drained_at` is the sign of life of its drain."""

WEBHOOK_EVENTS = Table(
    "webhook_events",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("id", BigInteger, Identity(always=False), nullable=False),
    Column("store_id", BigInteger, nullable=False),
    Column("event_type", String(50), nullable=False),
    Column("topic", String(100), nullable=False),
    Column("entity", String(20)),
    Column("external_id", Text),
    Column("status", String(50), nullable=False, server_default=text("'pending'")),
    Column("outcome", String(30)),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", TIME),
    Column("error_message", Text),
    Column("route", String(20), nullable=False),
    json_column("headers"),
    Column("body", LargeBinary, nullable=False),
    Column("received_at", TIME, nullable=False, server_default=func.now()),
    Column("processed_at", TIME),
    PrimaryKeyConstraint("tenant_id", "id", "received_at"),
    reference("store_id", "stores"),
    Index("ix_webhook_events_store", "store_id", "tenant_id", "id"),
    Index(
        "ix_webhook_events_pending",
        "store_id",
        "id",
        "tenant_id",
        postgresql_where=text("status = 'pending'"),
    ),
    Index(
        "ix_webhook_events_waiting",
        "store_id",
        "entity",
        "external_id",
        "id",
        "tenant_id",
        postgresql_where=text("status = 'pending' and next_attempt_at is not null"),
    ),
    postgresql_partition_by="RANGE (received_at)",
)
"""What stores sent: the raw body and the headers that matter, never a secret or a signature."""

WEBHOOK_COUNTERS = Table(
    "webhook_counters",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("store_id", BigInteger, nullable=False),
    Column("name", String(30), nullable=False),
    Column("count", BigInteger, nullable=False, server_default=text("0")),
    updated_at(),
    PrimaryKeyConstraint("tenant_id", "store_id", "name"),
)

WEBHOOK_SUBSCRIPTIONS = Table(
    "webhook_subscriptions",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("store_id", BigInteger, nullable=False),
    Column("topic", String(100), nullable=False),
    Column("external_id", Text, nullable=False),
    Column("status", String(20), nullable=False),
    created_at(),
    Column("checked_at", TIME),
    PrimaryKeyConstraint("tenant_id", "store_id", "topic"),
    reference("store_id", "stores"),
)

PUSHES = Table(
    "pushes",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("id", BigInteger, Identity(always=False), nullable=False),
    Column("store_id", BigInteger, nullable=False),
    Column("entity", String(20), nullable=False),
    Column("record_id", BigInteger, nullable=False),
    Column("version", BigInteger, nullable=False, server_default=text("1")),
    Column("status", String(20), nullable=False, server_default=text("'pending'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", TIME),
    Column("last_error", Text),
    Column("creating_since", TIME),
    Column("run_id", BigInteger),
    created_at(),
    updated_at(),
    PrimaryKeyConstraint("tenant_id", "id"),
    UniqueConstraint("tenant_id", "store_id", "entity", "record_id"),
    reference("store_id", "stores"),
    Index(
        "ix_pushes_due", "store_id", "id", "tenant_id", postgresql_where=text("status = 'pending'")
    ),
    Index("ix_pushes_record", "record_id", "entity", "tenant_id"),
    Index("ix_pushes_run", "run_id", "tenant_id", postgresql_where=text("run_id is not null")),
)
"""What a store has still to be told: one row per record, whatever happened to it since. A row goes
when the store has it; `failed` rows wait for a person. `version` grows with every change: a row
that changed while it was in flight stays due. `creating_since` marks a create whose outcome is not
known yet. `run_id` is the run of a person who asked for it: it goes whatever the store's directions
say."""

STORE_BUDGETS = Table(
    "store_budgets",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("store_id", BigInteger, nullable=False),
    Column("next_slot_at", TIME),
    Column("blocked_until", TIME),
    Column("slowdown", Integer, nullable=False, server_default=text("1")),
    updated_at(),
    PrimaryKeyConstraint("tenant_id", "store_id"),
)

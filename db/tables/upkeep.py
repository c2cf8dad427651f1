"""Conflicts, drift, schedules and alerts: what people are shown and decide."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from db.tables.base import (
    METADATA,
    TIME,
    created_at,
    json_column,
    reference,
    tenant_reference,
    tenant_table,
    updated_at,
)

CONFLICTS = tenant_table(
    "conflicts",
    Column("store_id", BigInteger, nullable=False),
    Column("entity", String(20), nullable=False),
    Column("record_id", BigInteger, nullable=False),
    Column("external_id", Text, nullable=False),
    json_column("fields"),
    Column("status", String(20), nullable=False, server_default=text("'open'")),
    Column("resolution", String(20)),
    Column("remote_version", TIME),
    created_at(),
    updated_at(),
    Column("resolved_at", TIME),
    reference("store_id", "stores"),
    Index(
        "uq_conflicts_open",
        "tenant_id",
        "store_id",
        "entity",
        "record_id",
        unique=True,
        postgresql_where=text("status = 'open'"),
    ),
)
"""Fields that both sides changed and that wait for a person. `fields` maps a field's path to
`{"base": …, "local": …, "remote": …}`."""

STORE_CURSORS = Table(
    "store_cursors",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("store_id", BigInteger, nullable=False),
    Column("entity", String(20), nullable=False),
    Column("changed_since", TIME, nullable=False),
    updated_at(),
    PrimaryKeyConstraint("tenant_id", "store_id", "entity"),
)
"""By the store's own clock: everything that changed before is in the hub."""

STORE_SCHEDULES = Table(
    "store_schedules",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("store_id", BigInteger, nullable=False),
    Column("kind", String(20), nullable=False),
    json_column("spec"),
    Column("paused", Boolean, nullable=False, server_default=text("false")),
    created_at(),
    updated_at(),
    PrimaryKeyConstraint("tenant_id", "store_id", "kind"),
    reference("store_id", "stores"),
)

DRIFT = tenant_table(
    "drift",
    Column("store_id", BigInteger, nullable=False),
    Column("entity", String(20), nullable=False),
    Column("external_id", Text),
    Column("record_id", BigInteger),
    Column("kind", String(30), nullable=False),
    Column("details", Text),
    Column("repaired", Boolean, nullable=False, server_default=text("false")),
    created_at(),
    reference("store_id", "stores"),
    Index("ix_drift_store", "store_id", "tenant_id", "id"),
)

ALERTS = tenant_table(
    "alerts",
    Column("store_id", BigInteger),
    Column("kind", String(40), nullable=False),
    Column("subject", Text, nullable=False),
    Column("event", String(40), nullable=False),
    Column("title", Text, nullable=False),
    Column("message", Text, nullable=False),
    Column("command", Text, nullable=False, server_default=text("''")),
    json_column("details"),
    Column("status", String(20), nullable=False, server_default=text("'open'")),
    Column("count", Integer, nullable=False, server_default=text("1")),
    created_at(),
    updated_at(),
    Column("resolved_at", TIME),
    tenant_reference(),
    Index(
        "uq_alerts_open",
        "tenant_id",
        "kind",
        "subject",
        unique=True,
        postgresql_where=text("status = 'open'"),
    ),
)
"""One open alert per kind and subject: what happens again raises `count`, not another alert."""

ALERT_CHANNELS = tenant_table(
    "alert_channels",
    Column("kind", String(20), nullable=False),
    Column("name", String(120), nullable=False),
    Column("encrypted_data", Text, nullable=False),
    Column("iv", String(255), nullable=False),
    Column("tag", String(255), nullable=False),
    Column("key_id", String(32), nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    created_at(),
    updated_at(),
    tenant_reference(),
)

ALERT_MESSAGES = tenant_table(
    "alert_messages",
    Column("alert_id", BigInteger, nullable=False),
    Column("channel_id", BigInteger),
    Column("status", String(20), nullable=False, server_default=text("'pending'")),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("next_attempt_at", TIME),
    Column("last_error", Text),
    created_at(),
    updated_at(),
    reference("alert_id", "alerts"),
    reference("channel_id", "alert_channels", on_delete="CASCADE"),
    Index("ix_alert_messages_channel", "channel_id", "tenant_id"),
    Index("ix_alert_messages_due", "tenant_id", "id", postgresql_where=text("status = 'pending'")),
)
"""One row per alert and channel; without a channel it is the row of `changes` that tells of it."""

CONNECT_TOKENS = tenant_table(
    "connect_tokens",
    Column("provider", String(50), nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    Column("encrypted_data", Text, nullable=False),
    Column("iv", String(255), nullable=False),
    Column("tag", String(255), nullable=False),
    Column("key_id", String(32), nullable=False),
    Column("expires_at", TIME, nullable=False),
    Column("used_at", TIME),
    Column("store_id", BigInteger),
    created_at(),
    tenant_reference(),
)
"""One-time tokens of an installation: what the seller filled in, waiting for the shop's answer."""

"""Stores, the credentials being checked, and what happened to a store."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

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

STORES = tenant_table(
    "stores",
    Column("name", String(120), nullable=False),
    Column("code", String(50), nullable=False),
    Column("webhook_code", String(64), nullable=False, unique=True),
    Column("provider", String(50), nullable=False),
    Column("store_url", Text, nullable=False),
    Column("encrypted_data", Text),
    Column("iv", String(255)),
    Column("tag", String(255)),
    Column("key_id", String(32)),
    json_column("facts"),
    json_column("settings"),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("sync_status", String(20), nullable=False, server_default=text("'pending'")),
    Column("last_sync_error", Text),
    Column("sync_retry_count", Integer, nullable=False, server_default=text("0")),
    Column("last_sync_attempt_at", TIME),
    Column("next_retry_at", TIME),
    created_at(),
    updated_at(),
    Column("deleted_at", TIME),
    Index(
        "uq_stores_tenant_id_code",
        "tenant_id",
        "code",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index(
        "ix_stores_webhook_source",
        text("webhook_source(store_url)"),
        "provider",
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index("ix_stores_tenant_id_name", "tenant_id", "name"),
    Index("ix_stores_tenant_id_is_active", "tenant_id", "is_active"),
    tenant_reference(),
)

STORE_CHECKS = tenant_table(
    "store_checks",
    Column("store_id", BigInteger, nullable=False),
    Column("provider", String(50), nullable=False),
    Column("encrypted_data", Text, nullable=False),
    Column("iv", String(255), nullable=False),
    Column("tag", String(255), nullable=False),
    Column("key_id", String(32), nullable=False),
    Column("expires_at", TIME, nullable=False),
    created_at(),
    tenant_reference(),
)
"""Credentials on trial. `store_id` is the store they are for, allocated before it exists, because
the ciphertext is bound to it."""

STORE_SYNC_LOGS = Table(
    "store_sync_logs",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column(
        "id",
        BigInteger,
        nullable=False,
        server_default=text("nextval('store_sync_logs_id_seq')"),
    ),
    Column("store_id", BigInteger, nullable=False),
    Column("run_id", BigInteger),
    Column("action", String(50), nullable=False),
    Column("status", String(50), nullable=False),
    Column("details", Text),
    Column("error_message", Text),
    Column("retry_count", Integer, nullable=False, server_default=text("1")),
    Column("created_at", TIME, nullable=False, server_default=func.now()),
    updated_at(),
    PrimaryKeyConstraint("tenant_id", "id", "created_at"),
    reference("store_id", "stores"),
    Index("ix_store_sync_logs_store", "tenant_id", "store_id", "created_at"),
    Index("ix_store_sync_logs_run", "tenant_id", "run_id", "action"),
    Index("ix_store_sync_logs_newest", "tenant_id", "created_at", "id"),
    Index("ix_store_sync_logs_status", "tenant_id", "store_id", "status", "created_at", "id"),
    Index(
        "ix_store_sync_logs_rejected",
        *("tenant_id", "store_id", "created_at", "id"),
        postgresql_where=text("log_count(read_log(details), 'rejected') > 0"),
    ),
    postgresql_partition_by="RANGE (created_at)",
)

FIELD_MAPPINGS = Table(
    "field_mappings",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("store_id", BigInteger, nullable=False),
    json_column("rules", "[]"),
    Column("version", Integer, nullable=False, server_default=text("1")),
    updated_at(),
    PrimaryKeyConstraint("tenant_id", "store_id"),
    reference("store_id", "stores"),
)
"""A store's own rules how its fields become the hub's (`domain.field_mapping`)."""

MAPPING_PREVIEWS = tenant_table(
    "mapping_previews",
    Column("store_id", BigInteger, nullable=False),
    Column("entity", String(20), nullable=False),
    Column("external_id", Text),
    json_column("rules", "[]"),
    Column("result", JSONB),
    Column("expires_at", TIME, nullable=False),
    created_at(),
    reference("store_id", "stores"),
)
"""What rules would make of one real record: asked for, found by a worker, taken at once. The result
may hold personal data; nothing of it outlives `expires_at`."""

"""Tenants, their keys, and what their requests must not do twice."""

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Boolean,
    Column,
    Identity,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from db.tables.base import METADATA, TIME, created_at, tenant_reference, tenant_table

TENANTS = Table(
    "tenants",
    METADATA,
    Column("id", BigInteger, Identity(always=False), primary_key=True),
    Column("public_id", String(64), nullable=False, unique=True),
    Column("name", String(120), nullable=False, unique=True),
    created_at(),
)

TENANT_COUNTERS = Table(
    "tenant_counters",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False, server_default=text("0")),
    Column("has_own_records", Boolean, nullable=False, server_default=text("false")),
    Column("revision", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("tenant_id"),
    tenant_reference(),
)
"""`seq` is that of the tenant's last change. `has_own_records` says that records were created in
the hub itself: what a store shows for the first time may be one of them. `revision` moves with the
transactions that change what records show and leave `seq` alone: see `db.revisions`."""

API_KEYS = tenant_table(
    "api_keys",
    Column("name", String(120), nullable=False),
    Column("type", String(20), nullable=False),
    Column("key", String(64), nullable=False),
    Column("secret_hash", LargeBinary, nullable=False),
    Column("permissions", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("expires_at", TIME),
    Column("revoked_at", TIME),
    Column("ip_allow_list", ARRAY(Text), nullable=False, server_default=text("'{}'")),
    Column("requests_per_minute", Integer),
    Column("rotated_from", BigInteger),
    Column("last_used_at", TIME),
    created_at(),
    UniqueConstraint("key"),
    tenant_reference(),
)

IDEMPOTENCY_KEYS = Table(
    "idempotency_keys",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("key", String(255), nullable=False),
    Column("route", String(120), nullable=False),
    Column("request_hash", LargeBinary, nullable=False),
    Column("status_code", Integer),
    Column("encrypted_data", Text),
    Column("iv", String(64)),
    Column("tag", String(64)),
    Column("key_id", String(32)),
    created_at(),
    PrimaryKeyConstraint("tenant_id", "route", "key"),
    tenant_reference(),
)

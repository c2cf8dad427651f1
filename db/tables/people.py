"""People who log in, the keys their tokens are signed with, and who did what."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Identity,
    Index,
    LargeBinary,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    func,
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

USERS = tenant_table(
    "users",
    Column("email", String(254), nullable=False),
    Column("name", String(120), nullable=False),
    Column("role", String(20), nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("is_active", Boolean, nullable=False, server_default=text("true")),
    Column("last_login_at", TIME),
    created_at(),
    updated_at(),
    Index("uq_users_email", text("lower(email)"), unique=True),
    tenant_reference(),
)
"""An e-mail address belongs to one tenant: whoever logs in names no tenant."""

LOGIN_SESSIONS = tenant_table(
    "login_sessions",
    Column("user_id", BigInteger, nullable=False),
    created_at(),
    Column("last_used_at", TIME, nullable=False, server_default=func.now()),
    Column("expires_at", TIME, nullable=False),
    Column("revoked_at", TIME),
    Column("address", Text, nullable=False, server_default=text("''")),
    Column("client", Text, nullable=False, server_default=text("''")),
    Column("family_hash", LargeBinary, unique=True),
    reference("user_id", "users", on_delete="CASCADE"),
    Index("ix_login_sessions_user", "user_id", "tenant_id"),
)
"""One login on one device: all of its tokens end with it. `family_hash` is of what its refresh
tokens share; null until the first refresh of one that a release before 0017 opened."""

LOGIN_NETWORKS = Table(
    "login_networks",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("user_id", BigInteger, nullable=False),
    Column("network", String(64), nullable=False),
    Column("last_login_at", TIME, nullable=False),
    PrimaryKeyConstraint("tenant_id", "user_id", "network"),
    reference("user_id", "users", on_delete="CASCADE"),
)
"""Where a person logged in from: an IPv4 address, or an IPv6 network of 64 bits."""

REFRESH_TOKENS = tenant_table(
    "refresh_tokens",
    Column("session_id", BigInteger, nullable=False),
    Column("token_hash", LargeBinary, nullable=False, unique=True),
    created_at(),
    Column("expires_at", TIME, nullable=False),
    Column("used_at", TIME),
    reference("session_id", "login_sessions", on_delete="CASCADE"),
    Index("ix_refresh_tokens_session", "session_id", "tenant_id"),
)
"""The one that each session accepts. Those of before are gone: see `family_hash`."""

SIGNING_KEYS = tenant_table(
    "signing_keys",
    Column("kid", String(32), nullable=False, unique=True),
    Column("encrypted_data", Text, nullable=False),
    Column("iv", String(255), nullable=False),
    Column("tag", String(255), nullable=False),
    Column("key_id", String(32), nullable=False),
    created_at(),
    Column("signs_until", TIME, nullable=False),
    Column("verifies_until", TIME, nullable=False),
    tenant_reference(),
)
"""A tenant's own keys: the newest signs, the one before is still believed for a while."""

API_KEY_USAGE = Table(
    "api_key_usage",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("api_key_id", BigInteger, nullable=False),
    Column("day", Date, nullable=False),
    Column("requests", BigInteger, nullable=False, server_default=text("0")),
    Column("refused", BigInteger, nullable=False, server_default=text("0")),
    Column("failed", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("tenant_id", "api_key_id", "day"),
    reference("api_key_id", "api_keys", on_delete="CASCADE"),
)
"""Requests of a key on a day (UTC); `refused` of them by 4xx, `failed` by 5xx."""

AUDIT_LOG = Table(
    "audit_log",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("id", BigInteger, Identity(always=False), nullable=False),
    Column("at", TIME, nullable=False, server_default=func.now()),
    Column("actor_kind", String(20), nullable=False),
    Column("actor_id", BigInteger),
    Column("actor_name", Text, nullable=False, server_default=text("''")),
    Column("action", String(60), nullable=False),
    Column("subject", Text, nullable=False, server_default=text("''")),
    Column("address", Text, nullable=False, server_default=text("''")),
    Column("request_id", String(64), nullable=False, server_default=text("''")),
    json_column("details"),
    PrimaryKeyConstraint("tenant_id", "id"),
    tenant_reference(),
    Index("ix_audit_log_action", "action", "tenant_id", "id"),
)
"""Who did what, or asked for (`api.on_record`). Names are as they were then."""

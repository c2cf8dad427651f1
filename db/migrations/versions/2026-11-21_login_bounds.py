"""Where people log in from, and which session a used refresh token was of."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op
from psycopg import sql

from db.migrations.lookups import LOOKUP_ROLE, making_lookups

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TENANT = "nullif(current_setting('app.tenant', true), '')::bigint"

# Beside `find_refresh_token`, which processes of the release before go on calling.
FUNCTION = """
create function find_refresh_family(wanted bytea) returns bigint
language sql stable security definer set search_path = pg_catalog, public as $$
  select s.tenant_id from public.login_sessions s where s.family_hash = wanted
$$
"""


def upgrade() -> None:
    """Make the table, and let a session be found by what all of its refresh tokens share.

    Sessions that are open get theirs with their next refresh.
    """
    op.execute("set local lock_timeout = '5s'")
    op.create_table(
        "login_networks",
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("last_login_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["users.tenant_id", "users.id"],
            name=op.f("fk_login_networks_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", "network", name=op.f("pk_login_networks")),
    )
    op.execute("alter table login_networks enable row level security")
    op.execute("alter table login_networks force row level security")
    op.execute(
        "create policy tenant_isolation on login_networks "
        f"using (tenant_id = {TENANT}) with check (tenant_id = {TENANT})"
    )
    role = sql.Identifier(context.config.attributes["app_role"]).as_string()
    op.execute(f"grant select, insert, update, delete on login_networks to {role}")
    op.add_column("login_sessions", sa.Column("family_hash", sa.LargeBinary(), nullable=True))
    op.create_unique_constraint(
        op.f("uq_login_sessions_family_hash"), "login_sessions", ["family_hash"]
    )
    with making_lookups(["find_refresh_family(bytea)"]):
        op.execute(FUNCTION)
        op.execute(f"grant select (family_hash) on login_sessions to {LOOKUP_ROLE}")


def downgrade() -> None:
    """Migrations go forward only: restore a backup to go back."""
    raise NotImplementedError("restore a backup to go back; see docs/how-to")

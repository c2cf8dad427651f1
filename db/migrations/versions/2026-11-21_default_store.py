"""The default tenant of a store that the environment defines, and previews of field mappings."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op
from psycopg import sql
from sqlalchemy.dialects import postgresql

from db.migrations.lookups import LOOKUP_ROLE, making_lookups, show_rows

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLE = "mapping_previews"
TENANT = "nullif(current_setting('app.tenant', true), '')::bigint"

# A tenant is named by its public id or its name; unnamed, it is the only one there is.
FUNCTIONS = """
create function find_default_tenant(wanted text) returns bigint
language sql stable security definer set search_path = pg_catalog, public as $$
  select min(t.id) from public.tenants t
  where wanted is null or t.public_id = wanted or t.name = wanted
  having count(*) = 1
$$;

create function discard_expired_previews(now_at timestamptz) returns bigint
language sql volatile security definer set search_path = pg_catalog, public as $$
  with gone as (delete from public.mapping_previews where expires_at <= now_at returning 1)
  select count(*) from gone
$$;
"""

SIGNATURES = ("find_default_tenant(text)", "discard_expired_previews(timestamptz)")


def upgrade() -> None:
    """A table for a while, and two narrow doors."""
    op.execute("set local lock_timeout = '5s'")
    _create_table()
    role = sql.Identifier(context.config.attributes["app_role"]).as_string()
    op.execute(f"grant select, insert, update, delete on {TABLE} to {role}")
    op.execute(f"grant usage on all sequences in schema public to {role}")
    with making_lookups(SIGNATURES):
        op.execute(FUNCTIONS)
        show_rows(TABLE, "select", "delete")
        op.execute(f"grant select (expires_at), delete on {TABLE} to {LOOKUP_ROLE}")


def _create_table() -> None:
    op.create_table(
        TABLE,
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=False),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column(
            "rules",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'::jsonb"),
            nullable=False,
        ),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "store_id"],
            ["stores.tenant_id", "stores.id"],
            name=op.f("fk_mapping_previews_stores"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_mapping_previews")),
    )
    op.execute(f"alter table {TABLE} enable row level security")
    op.execute(f"alter table {TABLE} force row level security")
    op.execute(
        f"create policy tenant_isolation on {TABLE} "
        f"using (tenant_id = {TENANT}) with check (tenant_id = {TENANT})"
    )


def downgrade() -> None:
    """Migrations go forward only: restore a backup to go back."""
    raise NotImplementedError("restore a backup to go back; see docs/how-to")

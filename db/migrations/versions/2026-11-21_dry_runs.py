"""Discarding what dry runs found: one narrow door across tenants."""

from collections.abc import Sequence

from alembic import context, op
from psycopg import sql

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LOOKUP_ROLE = "entrepot_lookup"
SIGNATURE = "discard_run_diffs(timestamptz, integer)"

FUNCTIONS = """
create function discard_run_diffs(older_than timestamptz, most integer) returns bigint
language sql volatile security definer set search_path = pg_catalog, public as $$
  with old as (
    select d.tenant_id, d.run_id, d.id from public.run_diffs d
    where d.created_at < older_than order by d.created_at limit most),
  gone as (
    delete from public.run_diffs d using old
    where d.tenant_id = old.tenant_id and d.run_id = old.run_id and d.id = old.id
    returning 1)
  select count(*) from gone
$$;
"""

READ = ("tenant_id", "run_id", "id", "created_at")


def upgrade() -> None:
    """A function that deletes by age, of every tenant, and sees no content."""
    op.execute("set local lock_timeout = '5s'")
    _join_lookup_role(inherit=True)
    op.execute(f"grant create, usage on schema public to {LOOKUP_ROLE}")
    op.execute(FUNCTIONS)
    for verb in ("select", "delete"):
        op.execute(
            f"create policy lookup_{verb} on run_diffs for {verb} to {LOOKUP_ROLE} using (true)"
        )
    op.execute(f"grant select ({', '.join(READ)}) on run_diffs to {LOOKUP_ROLE}")
    op.execute(f"grant delete on run_diffs to {LOOKUP_ROLE}")
    op.execute(f"revoke all on function {SIGNATURE} from public")
    op.execute(f"alter function {SIGNATURE} owner to {LOOKUP_ROLE}")
    role = sql.Identifier(context.config.attributes["app_role"]).as_string()
    op.execute(f"grant execute on function {SIGNATURE} to {role}")
    op.execute(f"revoke create on schema public from {LOOKUP_ROLE}")
    _join_lookup_role(inherit=False)


def _join_lookup_role(*, inherit: bool) -> None:
    """Before PostgreSQL 16 a member always inherits."""
    version = int(op.get_bind().exec_driver_sql("show server_version_num").scalar_one())
    option = f" with inherit {inherit}" if version >= 160_000 else ""
    op.execute(f"grant {LOOKUP_ROLE} to current_user{option}")


def downgrade() -> None:
    """Migrations go forward only: restore a backup to go back."""
    raise NotImplementedError("restore a backup to go back; see docs/how-to")

"""Discarding what dry runs found: one narrow door across tenants."""

from collections.abc import Sequence

from alembic import op

from db.migrations.lookups import LOOKUP_ROLE, making_lookups, show_rows

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

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
    with making_lookups([SIGNATURE]):
        op.execute(FUNCTIONS)
        show_rows("run_diffs", "select", "delete")
        op.execute(f"grant select ({', '.join(READ)}) on run_diffs to {LOOKUP_ROLE}")
        op.execute(f"grant delete on run_diffs to {LOOKUP_ROLE}")


def downgrade() -> None:
    """Migrations go forward only: restore a backup to go back."""
    raise NotImplementedError("restore a backup to go back; see docs/how-to")

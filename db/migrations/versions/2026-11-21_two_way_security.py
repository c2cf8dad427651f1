"""Row-level security of the tables of two-way sync, and their partitions."""

from collections.abc import Sequence

from alembic import context, op
from psycopg import sql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TENANT = "nullif(current_setting('app.tenant', true), '')::bigint"

TENANT_TABLES = [
    "lanes",
    "webhook_events",
    "webhook_counters",
    "webhook_subscriptions",
    "pushes",
    "store_budgets",
    "conflicts",
    "store_cursors",
    "store_schedules",
    "drift",
    "alerts",
    "alert_channels",
    "alert_messages",
    "connect_tokens",
    "store_levels",
    "reservations",
    "invoices",
    "invoice_lines",
]

# As in the migration before, with one more parent.
PARTITIONS = """
create or replace function ensure_partitions() returns void
language plpgsql volatile security definer set search_path = pg_catalog, public as $$
declare
  parent text;
  month date;
  child text;
begin
  foreach parent in array array['changes', 'store_sync_logs', 'webhook_events'] loop
    for step in 0..2 loop
      month := (date_trunc('month', now() at time zone 'UTC')
                + make_interval(months => step))::date;
      child := format('%s_p_%s', parent, to_char(month, 'YYYY_MM'));
      if to_regclass(format('public.%I', child)) is null then
        begin
          execute format(
            'create table public.%I partition of public.%I for values from (%L) to (%L)',
            child, parent, month::timestamp at time zone 'UTC',
            (month + interval '1 month')::timestamp at time zone 'UTC');
        exception when check_violation then
          -- Rows of that month came while nobody looked after partitions: they stay in the net.
          raise warning 'the default partition of % holds rows of %', parent, month;
        end;
      end if;
    end loop;
  end loop;
end
$$;
"""


def upgrade() -> None:
    """Close every new table to all but its tenant."""
    op.execute("set local lock_timeout = '5s'")
    for table in TENANT_TABLES:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant_isolation on {table} "
            f"using (tenant_id = {TENANT}) with check (tenant_id = {TENANT})"
        )
    op.execute("create table webhook_events_p_default partition of webhook_events default")
    op.execute(PARTITIONS)
    op.execute("select ensure_partitions()")
    role = sql.Identifier(context.config.attributes["app_role"]).as_string()
    op.execute(f"grant select, insert, update, delete on {', '.join(TENANT_TABLES)} to {role}")
    op.execute(f"grant usage on all sequences in schema public to {role}")


def downgrade() -> None:
    """Migrations go forward only: restore a backup to go back."""
    raise NotImplementedError("restore a backup to go back; see docs/how-to")

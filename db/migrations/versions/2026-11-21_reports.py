"""What reports about stores read: sums by hour of the logs and of the webhooks.

A million rows of either are summed up in no time that somebody would wait for, and indexes alone do
not change that; an hour's sums are a few rows. Statement triggers keep them by what every statement
took away and added, sorted by key, so that writers lock them in one order.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op
from psycopg import sql

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TENANT = "nullif(current_setting('app.tenant', true), '')::bigint"
TABLES = ("sync_log_hours", "webhook_hours")
COUNTED = (
    *("seen", "created", "updated", "unchanged", "deleted", "rejected", "sent", "failed", "pages"),
)

# Nothing says that the text of a log is JSON, or that PostgreSQL can hold what is escaped in it;
# and no log must fail because it cannot be counted.
LOG_FUNCTIONS = """
create function read_log(details text) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
  return case when details is json object then details::jsonb else '{}' end;
exception when data_exception then
  return '{}';
end
$$;

create function log_count(details jsonb, name text) returns bigint
language sql immutable as $$
  select case when jsonb_typeof(details -> name) = 'number'
    then least((details ->> name)::numeric, 1e15)::bigint else 0 end
$$;
"""

# Of a million lines the newest that failed, or set something aside, are found at once.
LOG_INDEXES = """
create index ix_store_sync_logs_status
  on store_sync_logs (tenant_id, store_id, status, created_at, id);
create index ix_store_sync_logs_rejected
  on store_sync_logs (tenant_id, store_id, created_at, id)
  where log_count(read_log(details), 'rejected') > 0;
"""

LOGS = f"""
insert into public.sync_log_hours as h
  (tenant_id, store_id, hour, action, direction, status, logs, {", ".join(COUNTED)})
select x.tenant_id, x.store_id, date_trunc('hour', x.created_at, 'UTC'), x.action,
  left(coalesce(d.doc ->> 'direction', 'pull'), 10), x.status, sum(x.sign),
  {", ".join(f"sum(x.sign * public.log_count(d.doc, '{name}'))" for name in COUNTED)}
from ({{moved}}) x
cross join lateral (select public.read_log(x.details) as doc) d
where not exists (
  select from public.sync_runs r
  where r.tenant_id = x.tenant_id and r.id = x.run_id and r.is_dry)
group by 1, 2, 3, 4, 5, 6
order by 1, 2, 3, 4, 5, 6
on conflict (tenant_id, store_id, hour, action, direction, status) do update set
  logs = h.logs + excluded.logs,
  {", ".join(f"{name} = h.{name} + excluded.{name}" for name in COUNTED)}
"""  # noqa: S608 - constants
LOG_FIELDS = "tenant_id, store_id, run_id, created_at, action, status, details"

# The bucket is that of `domain.latencies`: four to a doubling, from 1 ms.
EVENTS = """
insert into public.webhook_hours as h
  (tenant_id, store_id, hour, entity, status, outcome, bucket, events)
select x.tenant_id, x.store_id, date_trunc('hour', x.received_at, 'UTC'), coalesce(x.entity, ''),
  x.status, coalesce(x.outcome, ''),
  case when t.ms > 1 then least(79, ceil(4 * ln(t.ms) / ln(2) - 1e-9)) else 0 end::smallint,
  sum(x.sign)
from ({moved}) x
cross join lateral (
  select coalesce(extract(epoch from x.processed_at - x.received_at)::float8, 0) * 1000 as ms) t
where x.status <> 'pending'
group by 1, 2, 3, 4, 5, 6, 7
having sum(x.sign) <> 0
order by 1, 2, 3, 4, 5, 6, 7
on conflict (tenant_id, store_id, hour, entity, status, outcome, bucket) do update set
  events = h.events + excluded.events
"""
EVENT_FIELDS = "tenant_id, store_id, received_at, entity, status, outcome, processed_at"

COUNTERS = (
    ("store_sync_logs", "count_sync_logs", LOGS, LOG_FIELDS, "true"),
    ("webhook_events", "count_webhook_events", EVENTS, EVENT_FIELDS, "status <> 'pending'"),
)

# What comes in as pending, from whoever may write only that, costs no more than the look.
FUNCTION = """
create function {name}() returns trigger
language plpgsql set search_path = pg_catalog, public, pg_temp as $$
begin
  if tg_op = 'INSERT' then
    if exists (select from added where {counts}) then
      {of_insert};
    end if;
  else
    {of_update};
  end if;
  return null;
end
$$;
"""

TRIGGERS = """
create trigger {name}_inserted after insert on {table}
  referencing new table as added for each statement execute function {name}();
create trigger {name}_updated after update on {table}
  referencing old table as taken new table as added
  for each statement execute function {name}();
"""

# Under forced row-level security the owner of the tables sees what is the tenant's, too.
FILL = """
do $$
declare
  tenant bigint;
begin
  for tenant in select t.id from list_tenants() t loop
    perform set_config('app.tenant', tenant::text, true);
    {statements};
  end loop;
  perform set_config('app.tenant', '', true);
end
$$
"""


def upgrade() -> None:
    """Make the tables, keep them from now on, and count what is there already."""
    op.execute("set local lock_timeout = '5s'")
    _create_tables()
    op.create_index("ix_sync_runs_started", "sync_runs", ["tenant_id", "started_at"])
    op.execute(LOG_FUNCTIONS)
    op.execute(LOG_INDEXES)
    for table, name, statement, fields, counts in COUNTERS:
        added = f"select 1 as sign, {fields} from added"  # noqa: S608 - constants
        both = f"{added} union all select -1, {fields} from taken"  # noqa: S608
        op.execute(
            FUNCTION.format(
                name=name,
                counts=counts,
                of_insert=statement.format(moved=added),
                of_update=statement.format(moved=both),
            )
        )
        op.execute(TRIGGERS.format(name=name, table=table))
    filling = (
        statement.format(moved=f"select 1 as sign, {fields} from public.{table}")  # noqa: S608
        for table, _, statement, fields, _ in COUNTERS
    )
    op.execute(FILL.format(statements=";\n".join(filling)))


def _create_tables() -> None:
    op.create_table(
        "sync_log_hours",
        *_key(),
        sa.Column("action", sa.String(length=50), nullable=False),
        sa.Column("direction", sa.String(length=10), nullable=False),
        sa.Column("status", sa.String(length=50), nullable=False),
        sa.Column("logs", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
            for name in COUNTED
        ),
        sa.PrimaryKeyConstraint(
            *("tenant_id", "store_id", "hour", "action", "direction", "status"),
            name=op.f("pk_sync_log_hours"),
        ),
    )
    op.create_table(
        "webhook_hours",
        *_key(),
        sa.Column("entity", sa.String(length=20), nullable=False),
        sa.Column("status", sa.String(length=50), nullable=False),
        sa.Column("outcome", sa.String(length=30), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            *("tenant_id", "store_id", "hour", "entity", "status", "outcome", "bucket"),
            name=op.f("pk_webhook_hours"),
        ),
    )
    role = sql.Identifier(context.config.attributes["app_role"]).as_string()
    for table in TABLES:
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant_isolation on {table} "
            f"using (tenant_id = {TENANT}) with check (tenant_id = {TENANT})"
        )
        op.execute(f"grant select, insert, update, delete on {table} to {role}")


def _key() -> list[sa.Column[object]]:
    return [
        sa.Column("tenant_id", sa.BigInteger(), nullable=False),
        sa.Column("store_id", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
    ]


def downgrade() -> None:
    """Migrations go forward only: restore a backup to go back."""
    raise NotImplementedError("restore a backup to go back; see docs/how-to")

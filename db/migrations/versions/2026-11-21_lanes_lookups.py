"""The sweeper's look at the lanes of all tenants, and the sign of life of a drain."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import context, op
from psycopg import sql

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LOOKUP_ROLE = "entrepot_lookup"

# Rows are looked at in the order of their ids, up to the first late one: a backlog costs nothing.
# An event whose record has an earlier event on the ladder waits with it, and is not late.
FUNCTIONS = """
create function list_overdue_lanes(due_before timestamptz, alive_since timestamptz, most integer)
returns table (tenant_id bigint, kind text, key bigint, provider text, since timestamptz,
               is_alive boolean)
language sql stable security definer set search_path = pg_catalog, public as $$
  with late as (
    select s.tenant_id, 'inbox' as kind, s.id as key, s.provider::text as provider, w.since
    from public.stores s
    cross join lateral (
      select greatest(e.received_at, e.next_attempt_at) as since
      from public.webhook_events e
      where e.tenant_id = s.tenant_id and e.store_id = s.id and e.status = 'pending'
        and greatest(e.received_at, e.next_attempt_at) <= due_before
        and not exists (
          select from public.webhook_events b
          where b.tenant_id = e.tenant_id and b.store_id = e.store_id and b.status = 'pending'
            and b.entity = e.entity and b.external_id = e.external_id and b.id < e.id
            and b.next_attempt_at > due_before)
      order by e.id limit 1) w
    where s.is_active and s.deleted_at is null
    union all
    select s.tenant_id, 'push', s.id, s.provider::text, w.since
    from public.stores s
    cross join lateral (
      select greatest(p.created_at, p.next_attempt_at) as since
      from public.pushes p
      where p.tenant_id = s.tenant_id and p.store_id = s.id and p.status = 'pending'
        and greatest(p.created_at, p.next_attempt_at) <= due_before
      order by p.id limit 1) w
    where s.is_active and s.deleted_at is null
    union all
    select m.tenant_id, 'alert', m.tenant_id, null, min(greatest(m.created_at, m.next_attempt_at))
    from public.alert_messages m
    where m.status = 'pending' and greatest(m.created_at, m.next_attempt_at) <= due_before
    group by m.tenant_id)
  select l.tenant_id, l.kind, l.key, l.provider, greatest(l.since, n.next_attempt_at),
         coalesce(n.drained_at > alive_since, false)
  from late l
  left join public.lanes n on n.tenant_id = l.tenant_id and n.kind = l.kind and n.key = l.key
  where n.paused_reason is null
    and (n.next_attempt_at is null or n.next_attempt_at <= due_before)
  order by 5 limit most
$$;
"""

SIGNATURE = "list_overdue_lanes(timestamptz, timestamptz, integer)"

# Of each table the columns the look-up names, and no content.
READ = {
    "lanes": ("tenant_id", "kind", "key", "paused_reason", "next_attempt_at", "drained_at"),
    "webhook_events": (
        *("tenant_id", "store_id", "id", "status", "next_attempt_at", "received_at"),
        *("entity", "external_id"),
    ),
    "pushes": ("tenant_id", "store_id", "id", "status", "next_attempt_at", "created_at"),
    "alert_messages": ("tenant_id", "status", "next_attempt_at", "created_at"),
}


def upgrade() -> None:
    """One narrow look across tenants: which lanes are late."""
    op.execute("set local lock_timeout = '5s'")
    op.add_column("lanes", sa.Column("drained_at", sa.DateTime(timezone=True), nullable=True))
    _join_lookup_role(inherit=True)
    op.execute(f"grant create, usage on schema public to {LOOKUP_ROLE}")
    op.execute(FUNCTIONS)
    for table, columns in READ.items():
        op.execute(
            f"create policy lookup_select on {table} for select to {LOOKUP_ROLE} using (true)"
        )
        op.execute(f"grant select ({', '.join(columns)}) on {table} to {LOOKUP_ROLE}")
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

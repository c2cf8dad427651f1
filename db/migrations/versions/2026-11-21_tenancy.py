"""Row-level security, the roles, the look-ups that come before a tenant is known, partitions."""

from collections.abc import Sequence

from alembic import context, op
from psycopg import sql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LOOKUP_ROLE = "entrepot_lookup"
TENANT = "nullif(current_setting('app.tenant', true), '')::bigint"

TENANT_TABLES = [
    "tenant_counters",
    "api_keys",
    "idempotency_keys",
    "stores",
    "store_checks",
    "store_sync_logs",
    "categories",
    "products",
    "product_variants",
    "customers",
    "orders",
    "order_lines",
    "warehouses",
    "inventory_levels",
    "inventory_movements",
    "links",
    "changes",
    "sync_runs",
    "sync_run_entities",
    "sync_ranges",
    "sync_rejections",
    "sweep_ids",
]

MAINTAINED = ("links", "orders", "order_lines", "products", "product_variants", "customers")

PARTITIONED = ("changes", "store_sync_logs")

FUNCTIONS = """
create function find_api_key(wanted text)
returns table (tenant_id bigint, id bigint, name text, type text, secret_hash bytea,
               permissions text[], expires_at timestamptz, revoked_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select k.tenant_id, k.id, k.name, k.type, k.secret_hash, k.permissions, k.expires_at, k.revoked_at
  from public.api_keys k where k.key = wanted
$$;

create function find_store_by_webhook_code(wanted text)
returns table (tenant_id bigint, store_id bigint, provider text, is_active boolean)
language sql stable security definer set search_path = pg_catalog, public as $$
  select s.tenant_id, s.id, s.provider, s.is_active
  from public.stores s where s.webhook_code = wanted and s.deleted_at is null
$$;

create function discard_expired_checks(now_at timestamptz) returns bigint
language sql volatile security definer set search_path = pg_catalog, public as $$
  with gone as (delete from public.store_checks where expires_at <= now_at returning 1)
  select count(*) from gone
$$;

create function create_tenant(wanted text, wanted_public_id text) returns bigint
language sql volatile security definer set search_path = pg_catalog, public as $$
  insert into public.tenants (name, public_id) values (wanted, wanted_public_id) returning id
$$;

create function list_tenants()
returns table (id bigint, public_id text, name text, created_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select t.id, t.public_id, t.name, t.created_at from public.tenants t order by t.id
$$;
"""

LOOKUP_POLICIES = (
    ("api_keys", "select"),
    ("stores", "select"),
    ("store_checks", "select"),
    ("store_checks", "delete"),
    ("tenants", "select"),
    ("tenants", "insert"),
)

APP_FUNCTIONS = (
    "find_api_key(text)",
    "find_store_by_webhook_code(text)",
    "discard_expired_checks(timestamptz)",
    "ensure_partitions()",
)
OWNER_FUNCTIONS = ("create_tenant(text, text)", "list_tenants()")

# Monthly partitions for this month and the next two. The default partition is the net under them.
PARTITIONS = """
create function ensure_partitions() returns void
language plpgsql volatile security definer set search_path = pg_catalog, public as $$
declare
  parent text;
  month date;
  child text;
begin
  foreach parent in array array['changes', 'store_sync_logs'] loop
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
    """Close every table to all but its tenant, then open the narrow doors."""
    op.execute("set local lock_timeout = '5s'")
    app_role = context.config.attributes["app_role"]
    _secure_tables()
    _create_lookups()
    _create_partitions()
    _grant(app_role)
    # The owner was made a member to give functions away, not to see what the look-ups see.
    _join_lookup_role(inherit=False)


def _secure_tables() -> None:
    for table, column in (*((name, "tenant_id") for name in TENANT_TABLES), ("tenants", "id")):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant_isolation on {table} "
            f"using ({column} = {TENANT}) with check ({column} = {TENANT})"
        )


def _create_lookups() -> None:
    op.execute(
        f"do $$ begin if not exists (select from pg_roles where rolname = '{LOOKUP_ROLE}') "
        f"then create role {LOOKUP_ROLE} nologin; end if; end $$"
    )
    _join_lookup_role(inherit=True)
    op.execute(f"grant create, usage on schema public to {LOOKUP_ROLE}")
    op.execute(FUNCTIONS)
    for table, verb in LOOKUP_POLICIES:
        check = "with check" if verb == "insert" else "using"
        op.execute(
            f"create policy lookup_{verb} on {table} for {verb} to {LOOKUP_ROLE} {check} (true)"
        )
        op.execute(f"grant {verb} on {table} to {LOOKUP_ROLE}")
    for function in (*APP_FUNCTIONS[:3], *OWNER_FUNCTIONS):
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"alter function {function} owner to {LOOKUP_ROLE}")
    for function in OWNER_FUNCTIONS:
        op.execute(f"grant execute on function {function} to current_user")
    op.execute(f"revoke create on schema public from {LOOKUP_ROLE}")


def _join_lookup_role(*, inherit: bool) -> None:
    """Before PostgreSQL 16 a member always inherits."""
    option = f" with inherit {inherit}" if _server_version() >= 160_000 else ""
    op.execute(f"grant {LOOKUP_ROLE} to current_user{option}")


def _create_partitions() -> None:
    op.execute(PARTITIONS)
    op.execute("revoke all on function ensure_partitions() from public")
    for parent in PARTITIONED:
        op.execute(f"create table {parent}_p_default partition of {parent} default")
    op.execute("select ensure_partitions()")


def _grant(app_role: str) -> None:
    role = sql.Identifier(app_role).as_string()
    op.execute(f"grant usage on schema public to {role}")
    op.execute(f"grant select, insert, update, delete on {', '.join(TENANT_TABLES)} to {role}")
    op.execute(f"grant select on tenants to {role}")
    _grant_maintain(role)
    op.execute(f"grant select on alembic_version to {role}")
    op.execute(f"grant usage on all sequences in schema public to {role}")
    for function in APP_FUNCTIONS:
        op.execute(f"grant execute on function {function} to {role}")


def _grant_maintain(role: str) -> None:
    """Let the application take statistics after an import (a privilege since PostgreSQL 17)."""
    if _server_version() >= 170_000:
        op.execute(f"grant maintain on {', '.join(MAINTAINED)} to {role}")


def _server_version() -> int:
    return int(op.get_bind().exec_driver_sql("show server_version_num").scalar_one())


def downgrade() -> None:
    """Migrations go forward only: restore a backup to go back."""
    raise NotImplementedError("restore a backup to go back; see docs/how-to")

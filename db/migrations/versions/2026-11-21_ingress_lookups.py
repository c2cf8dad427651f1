"""What the webhook ingress asks and writes before a tenant is known."""

from collections.abc import Sequence

from alembic import context, op
from psycopg import sql

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LOOKUP_ROLE = "entrepot_lookup"

# The home address that a shop names itself by, and the one its merchant typed, without what the
# two often differ in: the scheme and `www`.
SOURCE = """
create function webhook_source(url text) returns text
language sql immutable strict parallel safe set search_path = pg_catalog as $$
  select rtrim(regexp_replace(lower(url), '^https?://(www\\.)?', ''), '/')
$$;
create index ix_stores_webhook_source on stores (webhook_source(store_url), provider)
  where deleted_at is null;
create index ix_webhook_events_waiting
  on webhook_events (store_id, entity, external_id, id, tenant_id)
  where status = 'pending' and next_attempt_at is not null;
"""

_STORE = """
returns table (tenant_id bigint, store_id bigint, provider text, is_active boolean,
               encrypted_data text, iv text, tag text, key_id text, settings jsonb)
language sql stable security definer set search_path = pg_catalog, public as $$
  select s.tenant_id, s.id, s.provider, s.is_active, s.encrypted_data, s.iv, s.tag, s.key_id,
         s.settings
  from public.stores s
"""

FUNCTIONS = f"""
drop function find_store_by_webhook_code(text);

create function find_store_by_webhook_code(wanted text) {_STORE}
  where s.webhook_code = wanted and s.deleted_at is null
$$;

create function find_stores_by_webhook_source(wanted_provider text, wanted text) {_STORE}
  where public.webhook_source(s.store_url) = public.webhook_source(wanted)
    and s.provider = wanted_provider and s.deleted_at is null
  order by s.id limit 50
$$;

create function find_stores_by_organization(wanted_provider text, wanted text, near text) {_STORE}
  join public.tenants t on t.id = s.tenant_id
  where t.public_id = wanted and s.provider = wanted_provider and s.deleted_at is null
  order by public.webhook_source(s.store_url) is distinct from public.webhook_source(near), s.id
  limit 50
$$;

create function keep_webhook_events(
  tenant_ids bigint[], store_ids bigint[], ivs text[], event_types text[], topics text[],
  entities text[], external_ids text[], routes text[], headers text[], bodies bytea[])
returns setof bigint
language sql volatile security definer set search_path = pg_catalog, public as $$
  with given as materialized (
    select g.*
    from unnest(tenant_ids, store_ids, ivs, event_types, topics, entities, external_ids, routes,
                headers, bodies) with ordinality
      as g(tenant_id, store_id, iv, event_type, topic, entity, external_id, route, headers, body,
           place)
    join public.stores s on s.tenant_id = g.tenant_id and s.id = g.store_id
      and s.deleted_at is null and s.iv = g.iv),
  kept as (
    insert into public.webhook_events
      (tenant_id, store_id, event_type, topic, entity, external_id, route, headers, body)
    select tenant_id, store_id, event_type, topic, entity, external_id, route, headers::jsonb, body
    from given order by place)
  select place from given order by place
$$;

create function count_webhooks(
  tenant_ids bigint[], store_ids bigint[], names text[], counts bigint[])
returns void
language sql volatile security definer set search_path = pg_catalog, public as $$
  insert into public.webhook_counters as c (tenant_id, store_id, name, count)
  select g.tenant_id, g.store_id, g.name, g.count
  from unnest(tenant_ids, store_ids, names, counts) as g(tenant_id, store_id, name, count)
  join public.stores s on s.tenant_id = g.tenant_id and s.id = g.store_id
  order by 1, 2, 3
  on conflict (tenant_id, store_id, name) do update
    set count = c.count + excluded.count, updated_at = now()
$$;

create function list_sleeping_inboxes(tenant_ids bigint[], store_ids bigint[])
returns table (tenant_id bigint, store_id bigint)
language sql stable security definer set search_path = pg_catalog, public as $$
  select s.tenant_id, s.id
  from unnest(tenant_ids, store_ids) as g(tenant_id, store_id)
  join public.stores s on s.tenant_id = g.tenant_id and s.id = g.store_id
    and s.deleted_at is null and s.is_active
  where not exists (
    select from public.lanes l
    where l.tenant_id = s.tenant_id and l.kind = 'inbox' and l.key = s.id and l.awake)
$$;
"""  # noqa: S608 - constants

LOOKUP_POLICIES = (
    ("webhook_events", "insert"),
    ("webhook_counters", "select"),
    ("webhook_counters", "insert"),
    ("webhook_counters", "update"),
)

APP_FUNCTIONS = (
    "find_store_by_webhook_code(text)",
    "find_stores_by_webhook_source(text, text)",
    "find_stores_by_organization(text, text, text)",
    f"keep_webhook_events(bigint[], bigint[], {'text[], ' * 7}bytea[])",
    "count_webhooks(bigint[], bigint[], text[], bigint[])",
    "list_sleeping_inboxes(bigint[], bigint[])",
)


def upgrade() -> None:
    """Open the doors a webhook comes through, and no others."""
    op.execute("set local lock_timeout = '5s'")
    op.execute(SOURCE)
    _join_lookup_role(inherit=True)
    op.execute(f"grant create, usage on schema public to {LOOKUP_ROLE}")
    op.execute(FUNCTIONS)
    for table, verb in LOOKUP_POLICIES:
        clause = {"insert": "with check (true)", "update": "using (true) with check (true)"}
        op.execute(
            f"create policy lookup_{verb} on {table} for {verb} to {LOOKUP_ROLE} "
            f"{clause.get(verb, 'using (true)')}"
        )
        op.execute(f"grant {verb} on {table} to {LOOKUP_ROLE}")
    # Which lanes it sees is decided in the migration before.
    op.execute(f"grant select (awake) on lanes to {LOOKUP_ROLE}")
    role = sql.Identifier(context.config.attributes["app_role"]).as_string()
    for function in APP_FUNCTIONS:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"alter function {function} owner to {LOOKUP_ROLE}")
        op.execute(f"grant execute on function {function} to {role}")
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

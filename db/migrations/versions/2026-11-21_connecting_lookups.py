"""The look-up of installation tokens before a tenant is known."""

from collections.abc import Sequence

from alembic import context, op
from psycopg import sql

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LOOKUP_ROLE = "entrepot_lookup"

FUNCTION = "find_connect_token(bytea)"

FUNCTIONS = """
create function find_connect_token(wanted bytea)
returns table (tenant_id bigint, provider text, expires_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select t.tenant_id, t.provider, t.expires_at
  from public.connect_tokens t where t.token_hash = wanted
$$;
"""


def upgrade() -> None:
    """Open one narrow door: whose token is this."""
    op.execute("set local lock_timeout = '5s'")
    _join_lookup_role(inherit=True)
    op.execute(f"grant create, usage on schema public to {LOOKUP_ROLE}")
    op.execute(FUNCTIONS)
    op.execute(
        f"create policy lookup_select on connect_tokens for select to {LOOKUP_ROLE} using (true)"
    )
    columns = "tenant_id, provider, token_hash, expires_at"
    op.execute(f"grant select ({columns}) on connect_tokens to {LOOKUP_ROLE}")
    role = sql.Identifier(context.config.attributes["app_role"]).as_string()
    op.execute(f"revoke all on function {FUNCTION} from public")
    op.execute(f"alter function {FUNCTION} owner to {LOOKUP_ROLE}")
    op.execute(f"grant execute on function {FUNCTION} to {role}")
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

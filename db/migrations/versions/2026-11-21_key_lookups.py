"""The look-up of API keys, with where they may be used from and how often."""

from collections.abc import Sequence

from alembic import context, op
from psycopg import sql

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LOOKUP_ROLE = "entrepot_lookup"

FUNCTION = "find_key(text)"

# Beside the one that there was: the columns that a function returns are part of its type, and a
# process that runs while this is applied has the old ones in its prepared statements, which would
# all fail.
FUNCTIONS = """
create function find_key(wanted text)
returns table (tenant_id bigint, id bigint, name text, type text, secret_hash bytea,
               permissions text[], expires_at timestamptz, revoked_at timestamptz,
               ip_allow_list text[], requests_per_minute integer)
language sql stable security definer set search_path = pg_catalog, public as $$
  select k.tenant_id, k.id, k.name, k.type, k.secret_hash, k.permissions, k.expires_at,
         k.revoked_at, k.ip_allow_list, k.requests_per_minute
  from public.api_keys k where k.key = wanted
$$;
"""


def upgrade() -> None:
    """Make a look-up that tells more, as narrow as the one before."""
    op.execute("set local lock_timeout = '5s'")
    _join_lookup_role(inherit=True)
    op.execute(f"grant create, usage on schema public to {LOOKUP_ROLE}")
    op.execute(FUNCTIONS)
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

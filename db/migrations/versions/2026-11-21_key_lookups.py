"""The look-up of API keys, with where they may be used from and how often."""

from collections.abc import Sequence

from alembic import op

from db.migrations.lookups import making_lookups

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


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
    with making_lookups([FUNCTION]):
        op.execute(FUNCTIONS)


def downgrade() -> None:
    """Migrations go forward only: restore a backup to go back."""
    raise NotImplementedError("restore a backup to go back; see docs/how-to")

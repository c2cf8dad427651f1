"""The look-ups of people and their sessions before a tenant is known."""

from collections.abc import Sequence

from alembic import op

from db.migrations.lookups import LOOKUP_ROLE, making_lookups, show_rows

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


# A session is looked for among those of the tenant whose key signed the token: no key of one
# tenant speaks for another's people.
FUNCTIONS = """
create function find_user(wanted text)
returns table (tenant_id bigint, id bigint, email text, password_hash text, is_active boolean)
language sql stable security definer set search_path = pg_catalog, public as $$
  select u.tenant_id, u.id, u.email, u.password_hash, u.is_active
  from public.users u where lower(u.email) = lower(wanted)
$$;

create function find_refresh_token(wanted bytea) returns bigint
language sql stable security definer set search_path = pg_catalog, public as $$
  select t.tenant_id from public.refresh_tokens t where t.token_hash = wanted
$$;

create function find_login_session(wanted_kid text, wanted_session bigint)
returns table (tenant_id bigint, encrypted_data text, iv text, tag text, key_id text,
               verifies_until timestamptz, user_id bigint, email text, role text,
               is_active boolean, expires_at timestamptz, revoked_at timestamptz)
language sql stable security definer set search_path = pg_catalog, public as $$
  select k.tenant_id, k.encrypted_data, k.iv, k.tag, k.key_id, k.verifies_until,
         u.id, u.email, u.role, u.is_active, s.expires_at, s.revoked_at
  from public.signing_keys k
  join public.login_sessions s on s.tenant_id = k.tenant_id and s.id = wanted_session
  join public.users u on u.tenant_id = s.tenant_id and u.id = s.user_id
  where k.kid = wanted_kid
$$;
"""

SIGNATURES = (
    "find_user(text)",
    "find_refresh_token(bytea)",
    "find_login_session(text, bigint)",
)

SEEN = {
    "users": "tenant_id, id, email, role, password_hash, is_active",
    "refresh_tokens": "tenant_id, token_hash",
    "login_sessions": "tenant_id, id, user_id, expires_at, revoked_at",
    "signing_keys": "tenant_id, kid, encrypted_data, iv, tag, key_id, verifies_until",
}


def upgrade() -> None:
    """Open three narrow doors: whose address is this, whose token, and who speaks here."""
    op.execute("set local lock_timeout = '5s'")
    with making_lookups(SIGNATURES):
        op.execute(FUNCTIONS)
        for table, columns in SEEN.items():
            show_rows(table, "select")
            op.execute(f"grant select ({columns}) on {table} to {LOOKUP_ROLE}")


def downgrade() -> None:
    """Migrations go forward only: restore a backup to go back."""
    raise NotImplementedError("restore a backup to go back; see docs/how-to")

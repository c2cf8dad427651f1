"""Row-level security of the tables of people, demands and reports."""

from collections.abc import Sequence

from alembic import context, op
from psycopg import sql

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TENANT = "nullif(current_setting('app.tenant', true), '')::bigint"

TENANT_TABLES = [
    "users",
    "login_sessions",
    "refresh_tokens",
    "signing_keys",
    "api_key_usage",
    "field_mappings",
    "run_diffs",
    "run_pushes",
    "provider_calls",
    "store_health",
]


def upgrade() -> None:
    """Close every new table to all but its tenant. Nobody changes what the audit trail says."""
    op.execute("set local lock_timeout = '5s'")
    for table in (*TENANT_TABLES, "audit_log"):
        op.execute(f"alter table {table} enable row level security")
        op.execute(f"alter table {table} force row level security")
        op.execute(
            f"create policy tenant_isolation on {table} "
            f"using (tenant_id = {TENANT}) with check (tenant_id = {TENANT})"
        )
    role = sql.Identifier(context.config.attributes["app_role"]).as_string()
    op.execute(f"grant select, insert, update, delete on {', '.join(TENANT_TABLES)} to {role}")
    op.execute(f"grant select, insert on audit_log to {role}")
    op.execute(f"grant usage on all sequences in schema public to {role}")


def downgrade() -> None:
    """Migrations go forward only: restore a backup to go back."""
    raise NotImplementedError("restore a backup to go back; see docs/how-to")

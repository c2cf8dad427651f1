"""A number per tenant that moves with every transaction which changes what its records show.

Not every such change is in the feed: a link made by a push, a reference settled after an import.
So the tables tell by triggers. The counter's row is locked by whoever moves it until the end of the
transaction, hence it is moved at the commit, by a deferred trigger; and once, for the condition is
true for the first row that a transaction changes and no other.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

SHOWN = (
    *("categories", "products", "product_variants", "inventory_levels"),
    *("customers", "orders", "order_lines"),
)
LINKS_SHOWN = "record_id, external_id, store_id, entity, deleted_at"

# Evaluated where the row is changed, from left to right. Whoever has no tenant is no application:
# a superuser, whose changes may be anybody's.
FIRST = """
current_setting('app.revised', true)
    is distinct from coalesce(nullif(current_setting('app.tenant', true), ''), 'all')
and set_config('app.revised',
      coalesce(nullif(current_setting('app.tenant', true), ''), 'all'), true) is not null
"""

FUNCTION = """
create function advance_revision() returns trigger
language plpgsql as $$
begin
  -- Where the feed was written the counter has moved already: it is part of the version.
  update public.tenant_counters set revision = revision + 1
  where xmin <> pg_current_xact_id()::xid
    and (nullif(current_setting('app.tenant', true), '') is null
         or tenant_id = coalesce(new.tenant_id, old.tenant_id));
  return null;
end
$$;
"""


def upgrade() -> None:
    """The number, and what moves it."""
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "tenant_counters",
        sa.Column("revision", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.execute(FUNCTION)
    for table in SHOWN:
        _watch(table, "insert or update or delete")
    _watch("links", f"insert or delete or update of {LINKS_SHOWN}")


def _watch(table: str, event: str) -> None:
    op.execute(
        f"create constraint trigger advance_revision after {event} on {table} "
        f"deferrable initially deferred for each row when ({FIRST}) "
        "execute function advance_revision()"
    )


def downgrade() -> None:
    """Migrations go forward only: restore a backup to go back."""
    raise NotImplementedError("restore a backup to go back; see docs/how-to")

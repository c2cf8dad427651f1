"""A number of stock has the date that the store gives it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0019"
down_revision: str | None = "0018"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the column. It does not rewrite its table."""
    op.execute("set local lock_timeout = '5s'")
    op.add_column("store_levels", sa.Column("told_version", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Migrations go forward only: restore a backup to go back."""
    raise NotImplementedError("restore a backup to go back; see docs/how-to")

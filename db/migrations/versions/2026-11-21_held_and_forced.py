"""Pushes held by a conflict are counted, and links know when they were confirmed."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add the columns. Neither rewrites its table."""
    op.execute("set local lock_timeout = '5s'")
    op.add_column(
        "run_pushes",
        sa.Column("held", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("links", sa.Column("confirmed_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    """Migrations go forward only: restore a backup to go back."""
    raise NotImplementedError("restore a backup to go back; see docs/how-to")

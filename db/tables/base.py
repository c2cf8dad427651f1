"""Conventions that every table follows.

Every table has `tenant_id` first in its primary key, and foreign keys and uniques that include
it, so that no row can point into another tenant. Row-level security is added by the migrations.

Secondary indexes begin with the column that tells rows apart and end with `tenant_id`. Begun with
`tenant_id`, they looked as good as the primary key to a plan made while the table was empty, and
that plan then read a whole tenant for each row of an import.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    Table,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

MONEY = Numeric(19, 4)
QUANTITY = Numeric(19, 4)
TIME = DateTime(timezone=True)


def tenant_table(name: str, *columns: Any, **options: Any) -> Table:
    """A table with `tenant_id` and an identity `id`, keyed by both."""
    return Table(
        name,
        METADATA,
        Column("tenant_id", BigInteger, nullable=False),
        Column("id", BigInteger, Identity(always=False), nullable=False),
        *columns,
        PrimaryKeyConstraint("tenant_id", "id"),
        **options,
    )


def tenant_reference() -> ForeignKeyConstraint:
    """The row belongs to a tenant that exists.

    Only the tables that are written row by row have it. In those that are written in bulk it would
    be checked per row for nothing: row-level security lets in the session's own tenant alone.
    """
    return ForeignKeyConstraint(["tenant_id"], ["tenants.id"])


def reference(column: str, target: str, *, on_delete: str | None = None) -> ForeignKeyConstraint:
    """A foreign key to another table of the same tenant."""
    return ForeignKeyConstraint(
        ["tenant_id", column], [f"{target}.tenant_id", f"{target}.id"], ondelete=on_delete
    )


def created_at() -> Column[Any]:
    """When the row was written."""
    return Column("created_at", TIME, nullable=False, server_default=func.now())


def updated_at() -> Column[Any]:
    """When the row was last changed; statements set it."""
    return Column("updated_at", TIME, nullable=False, server_default=func.now())


def json_column(name: str, default: str = "{}") -> Column[Any]:
    """A `jsonb` column that is never null."""
    return Column(name, JSONB, nullable=False, server_default=text(f"'{default}'::jsonb"))

"""Runs the migrations, one at a time over all processes, never waiting long for a table's lock."""

from typing import Any

from alembic import context
from sqlalchemy import create_engine, text

import db.tables.lanes
import db.tables.people
import db.tables.processes
import db.tables.records
import db.tables.reports
import db.tables.stock
import db.tables.stores
import db.tables.sync
import db.tables.tenancy
import db.tables.upkeep  # noqa: F401  (each import registers its tables)
from db.tables.base import METADATA

_ADVISORY_LOCK = 7_264_001
_TURN = "10min"


def _is_ours(_object: Any, name: str | None, kind: str, reflected: bool, _other: Any) -> bool:
    """Partitions are made by a function, not by the models, so the comparison leaves them out."""
    return not (kind == "table" and reflected and name is not None and "_p_" in name)


def _run() -> None:
    engine = create_engine(context.config.attributes["url"])
    try:
        with engine.begin() as connection:
            # Whoever comes second waits for all that the first one does.
            connection.execute(text(f"set lock_timeout = '{_TURN}'"))
            connection.execute(text(f"select pg_advisory_xact_lock({_ADVISORY_LOCK})"))
            connection.execute(text("set lock_timeout = '5s'"))
            context.configure(
                connection=connection,
                target_metadata=METADATA,
                include_object=_is_ours,
                transaction_per_migration=False,
            )
            context.run_migrations()
    finally:
        engine.dispose()


_run()

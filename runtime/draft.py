"""`python -m runtime.draft "add reviews"`: draft a database migration.

Compares the tables of `db.tables` with the migrations there are, in a PostgreSQL of its own that
lasts only that long, and writes what is missing as the next migration. Read it before you keep it:
a renamed column looks like one dropped and one added, and policies, grants and functions are not
seen at all.
"""

import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from alembic import command
from alembic.script import ScriptDirectory

from db.migrate import MIGRATIONS, alembic_config, upgrade
from db.schema_version import newest_revision
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.failures import WRONG_INPUT, CommandError

_LONGEST: Final = 80


def draft(message: str, directory: Path = MIGRATIONS) -> Path:
    """Write the next migration; returns where.

    Raises:
        EmbeddedError: the PostgreSQL to compare with does not start.
        ValueError: the message is empty or too long for a file's name.
    """
    if not re.search(r"\w", message) or len(message) > _LONGEST:
        raise ValueError(f"say in 1 to {_LONGEST} characters what the migration does")
    with tempfile.TemporaryDirectory(prefix="entrepot-draft-") as scratch:
        postgres = EmbeddedPostgres(Path(scratch), durable=False)
        postgres.start()
        try:
            upgrade(postgres.owner_url)
            config = alembic_config(postgres.owner_url)
            config.set_main_option("script_location", str(directory))
            made = command.revision(
                config, message=message, autogenerate=True, rev_id=_next_id(directory)
            )
        finally:
            postgres.stop()
    if made is None or isinstance(made, list):
        raise RuntimeError("Alembic wrote no single migration")
    return Path(made.path)


def _next_id(directory: Path) -> str:
    """Migrations are numbered; the number is the revision."""
    config = alembic_config("postgresql://")
    config.set_main_option("script_location", str(directory))
    newest = ScriptDirectory.from_config(config).get_current_head() or newest_revision() or "0"
    return f"{int(newest) + 1:04d}"


def main(arguments: Sequence[str]) -> int:
    """Draft what the arguments say; returns the exit code."""
    try:
        draft(" ".join(arguments).strip())
    except (ValueError, CommandError) as error:
        sys.stderr.write(f"entrepot: {error}\n")
        return WRONG_INPUT
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

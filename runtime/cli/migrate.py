"""`entrepot migrate`."""

import sys

from sqlalchemy.exc import SQLAlchemyError

from db.migrate import current_and_head, upgrade
from runtime.cli.errors import CliError
from runtime.cli.screen import say
from runtime.logging import configure_logging
from runtime.readiness import first_line
from runtime.settings import load_settings


def main() -> int:
    """Apply what is missing; returns the exit code. Raises CommandError."""
    settings = load_settings()
    owner_url = settings.owner_url()
    configure_logging(level=settings.log_level, log_format=settings.log_format, process="migrate")
    try:
        before, head = current_and_head(owner_url)
        upgrade(owner_url, settings.database_url.get_secret_value())
    except SQLAlchemyError as error:
        raise CliError(f"the database: {first_line(error)}", exit_code=1) from None
    sys.stdout.flush()
    if before == head:
        say(f"The schema is at {head} already.")
    else:
        say(f"The schema was at {before or 'nothing'} and is at {head} now.")
    return 0

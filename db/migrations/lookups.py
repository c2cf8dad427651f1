"""Giving functions to the role that looks before a tenant is known.

Frozen with the migrations that use it, as they are: what should be done otherwise is done by a
function beside these.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from alembic import context, op
from psycopg import sql

LOOKUP_ROLE: Final = "entrepot_lookup"


@contextmanager
def making_lookups(functions: Sequence[str]) -> Iterator[None]:
    """What the block creates of these is the look-up role's then, and the application's to call.

    The block also says, by policies and grants, which columns that role sees.
    """
    _join_lookup_role(inherit=True)
    op.execute(f"grant create, usage on schema public to {LOOKUP_ROLE}")
    yield
    application = sql.Identifier(context.config.attributes["app_role"]).as_string()
    for function in functions:
        op.execute(f"revoke all on function {function} from public")
        op.execute(f"alter function {function} owner to {LOOKUP_ROLE}")
        op.execute(f"grant execute on function {function} to {application}")
    op.execute(f"revoke create on schema public from {LOOKUP_ROLE}")
    _join_lookup_role(inherit=False)


def show_rows(table: str, *verbs: str) -> None:
    """Let the look-up role past the tenants' own policy, for these verbs."""
    for verb in verbs:
        op.execute(
            f"create policy lookup_{verb} on {table} for {verb} to {LOOKUP_ROLE} using (true)"
        )


def _join_lookup_role(*, inherit: bool) -> None:
    """The owner of the tables makes and gives away; before PostgreSQL 16 a member inherits."""
    version = int(op.get_bind().exec_driver_sql("show server_version_num").scalar_one())
    option = f" with inherit {inherit}" if version >= 160_000 else ""
    op.execute(f"grant {LOOKUP_ROLE} to current_user{option}")

"""What administrators' commands share: the database as its owner, and its troubles in words."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy.exc import ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from db.session import Database
from db.tenants import Tenant, list_tenants
from domain.errors import EntrepotError
from runtime.cli.errors import CliError
from runtime.cli.target import Target, find_target
from runtime.failures import FAILED
from runtime.readiness import first_line

T = TypeVar("T")

_UNDEFINED = ("42P01", "42883")  # undefined_table, undefined_function
_DENIED = "42501"  # insufficient_privilege


@dataclass(frozen=True, slots=True)
class Databases:
    """The hub's database twice: as the owner, who alone sees all tenants, and as the application,
    which sees one tenant at a time."""

    owner: Database
    app: Database

    async def list_tenants(self) -> list[Tenant]:
        """All tenants, oldest first."""
        async with self.owner.lookup() as connection:
            return list(await list_tenants(connection))

    async def read_all(
        self, tenant: str | None, read: Callable[[AsyncConnection], Awaitable[Sequence[T]]]
    ) -> list[tuple[Tenant, T]]:
        """What `read` finds in one tenant, or in each of them. Raises CliError."""
        tenants = await self.list_tenants()
        if tenant is not None:
            tenants = [pick_tenant(tenants, tenant)]
        found = []
        for owner in tenants:
            async with self.app.tenant(owner.id) as connection:
                found += [(owner, one) for one in await read(connection)]
        return found


def with_databases(data_dir: Path | None, work: Callable[[Databases], Awaitable[T]]) -> T:
    """Do `work` on the hub's database.

    Raises:
        CommandError: the settings, the database or the input are wrong; says what to do.
    """

    async def doing() -> T:
        async with _opened(find_target(data_dir)) as databases:
            return await work(databases)

    return asyncio.run(doing())


@asynccontextmanager
async def _opened(target: Target) -> AsyncIterator[Databases]:
    owner = Database(target.settings.owner_url(), pool_size=1)
    app = Database(target.settings.database_url.get_secret_value(), pool_size=1)
    try:
        yield Databases(owner, app)
    except EntrepotError as error:
        raise CliError(str(error)) from None
    except ProgrammingError as error:
        raise CliError(_explained(error), exit_code=FAILED) from None
    except (SQLAlchemyError, OSError) as error:
        raise CliError(
            f"the database does not answer ({first_line(error)}): {target.hint}", exit_code=FAILED
        ) from None
    finally:
        await owner.close()
        await app.close()


def _explained(error: ProgrammingError) -> str:
    state = getattr(error.orig, "sqlstate", None)
    if state in _UNDEFINED:
        return "the database has no schema yet: run `entrepot migrate`"
    if state == _DENIED:
        return "ENTREPOT_MIGRATION_DATABASE_URL must name the role that owns the tables"
    return f"the database: {first_line(error)}"


def pick_tenant(tenants: Sequence[Tenant], wanted: str) -> Tenant:
    """The tenant of that name, id or organization id. Raises CliError."""
    for tenant in tenants:
        if wanted in {tenant.name, tenant.public_id, str(tenant.id)}:
            return tenant
    names = ", ".join(tenant.name for tenant in tenants) or "none yet"
    raise CliError(f"there is no tenant {wanted!r}; there are: {names}")


def bounded(what: str, text: str, longest: int) -> str:
    """`text` without space around it. Raises CliError when it is empty or too long."""
    stripped = text.strip()
    if not stripped or len(stripped) > longest or not stripped.isprintable():
        raise CliError(f"{what} must be 1 to {longest} visible characters")
    return stripped

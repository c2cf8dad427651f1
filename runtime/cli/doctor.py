"""`entrepot doctor`: everything a hub needs, a line each, with what to do."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from rich.text import Text
from sqlalchemy.exc import SQLAlchemyError

from db.keys import list_keys
from db.processes import list_processes
from db.session import Database
from db.tenants import list_tenants
from runtime.cli.screen import console
from runtime.cli.target import Target, find_target
from runtime.failures import FAILED
from runtime.readiness import database_problem, first_line, schema_problem, temporal_problem
from runtime.search_attributes import missing_search_attributes
from runtime.settings import SettingsError
from workflows.task_queues import unserved

QUEUES = "ENTREPOT_WORKER_QUEUES"
_NAME_WIDTH = 18


@dataclass(frozen=True, slots=True)
class Finding:
    """One line. `is_wrong` makes the doctor's exit code 1."""

    name: str
    said: str
    is_wrong: bool = False


def main(data_dir: Path | None) -> int:
    """Examine the hub; returns the exit code. Raises CommandError."""
    findings = asyncio.run(examine(find_target(data_dir)))
    out = console()
    for one in findings:
        mark = Text("✗ ", style="bold red") if one.is_wrong else Text("✓ ", style="bold green")
        out.print(mark + Text(f"{one.name:<{_NAME_WIDTH}}{one.said}", style="not bold default"))
    return FAILED if any(one.is_wrong for one in findings) else 0


async def examine(target: Target) -> list[Finding]:
    """Every finding, the trouble that explains others first."""
    database = Database(target.settings.database_url.get_secret_value(), pool_size=1)
    try:
        storage, temporal = await asyncio.gather(
            _examine_database(target, database), _examine_temporal(target)
        )
        workers = await _examine_workers(database, storage)
        keys = await _examine_keys(target, database, storage)
        reports = await _examine_reports(target)
    finally:
        await database.close()
    return [*storage, *reports, *temporal, workers, _examine_encryption(target), keys]


async def _examine_database(target: Target, database: Database) -> list[Finding]:
    if problem := await database_problem(database):
        return [
            Finding("database", f"{problem}: {target.hint}", is_wrong=True),
            Finding("migrations", "unknown without the database", is_wrong=True),
        ]
    problem = await schema_problem(database)
    return [
        Finding("database", "answers"),
        Finding("migrations", problem or "up to date", is_wrong=problem is not None),
    ]


async def _examine_reports(target: Target) -> list[Finding]:
    """Nothing where reports are read from the database itself."""
    url = target.settings.reports_database_url
    if url is None:
        return []
    replica = Database(url.get_secret_value(), pool_size=1, is_replica=True)
    try:
        problem = await schema_problem(replica)
    finally:
        await replica.close()
    if problem is None:
        return [Finding("reports database", "answers")]
    said = f"{problem}: see ENTREPOT_REPORTS_DATABASE_URL"
    return [Finding("reports database", said, is_wrong=True)]


async def _examine_temporal(target: Target) -> list[Finding]:
    if problem := await temporal_problem(target.connect_temporal):
        return [
            Finding("Temporal", f"{problem}: {target.hint}", is_wrong=True),
            Finding("search attributes", "unknown without Temporal", is_wrong=True),
        ]
    client = await target.connect_temporal()
    missing = await missing_search_attributes(client)
    said = "registered"
    if missing:
        said = (
            f"{', '.join(missing)} missing in namespace {client.namespace}: a worker registers "
            "them at its start if it may, else register them as Keyword"
        )
    return [
        Finding("Temporal", f"answers, namespace {client.namespace}"),
        Finding("search attributes", said, is_wrong=bool(missing)),
    ]


async def _examine_workers(database: Database, storage: list[Finding]) -> Finding:
    """No trouble of what the doctor is asked about before the first start: it is only told."""
    if any(one.is_wrong for one in storage):
        return Finding("workers", "unknown without the database", is_wrong=True)
    async with database.lookup() as connection:
        served = [one.queues for one in await list_processes(connection) if one.queues]
    if not served:
        return Finding("workers", "none runs: start `entrepot worker`")
    if missing := unserved(served):
        queues = ",".join(missing)
        return Finding("workers", f"none serves {queues}: start one with {QUEUES}={queues}")
    return Finding("workers", f"{len(served)} running, every task queue is served")


def _examine_encryption(target: Target) -> Finding:
    try:
        ring = target.settings.encryption_ring()
    except SettingsError as error:
        return Finding("encryption key", str(error), is_wrong=True)
    older = f", and {len(ring) - 1} older" if len(ring) > 1 else ""
    return Finding("encryption key", f"set{older}")


async def _examine_keys(target: Target, database: Database, storage: list[Finding]) -> Finding:
    """Only the owner sees the keys of all tenants; the other processes need not know."""
    if target.settings.migration_database_url is None:
        return Finding("API keys", "not looked at: ENTREPOT_MIGRATION_DATABASE_URL is not set")
    if any(one.is_wrong for one in storage):
        return Finding("API keys", "unknown without the database", is_wrong=True)
    owner = Database(target.settings.owner_url(), pool_size=1)
    try:
        count = await _count_keys(owner, database)
    except (SQLAlchemyError, OSError) as error:
        said = f"{first_line(error)}: see ENTREPOT_MIGRATION_DATABASE_URL"
        return Finding("API keys", said, is_wrong=True)
    finally:
        await owner.close()
    if not count:
        return Finding(
            "API keys", "none yet: `entrepot tenants add NAME`, then `entrepot keys create`"
        )
    return Finding("API keys", f"{count} in force")


async def _count_keys(owner: Database, app: Database) -> int:
    async with owner.lookup() as connection:
        tenants = await list_tenants(connection)
    count = 0
    for tenant in tenants:
        async with app.tenant(tenant.id) as connection:
            count += sum(key.revoked_at is None for key in await list_keys(connection))
    return count

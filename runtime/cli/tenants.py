"""What `entrepot tenants` does."""

from dataclasses import asdict
from pathlib import Path

from db.tenants import Tenant, create_tenant
from runtime.cli.administration import Databases, bounded, with_databases
from runtime.cli.screen import day, say, show_json, show_table

_LONGEST_NAME = 120


def add(name: str, *, data_dir: Path | None, is_json: bool) -> None:
    """Add a tenant and say its ids. Raises CommandError."""
    called = bounded("the name", name, _LONGEST_NAME)

    async def work(databases: Databases) -> Tenant:
        async with databases.owner.lookup() as connection:
            return await create_tenant(connection, called)

    tenant = with_databases(data_dir, work)
    if is_json:
        show_json({"id": tenant.id, "publicId": tenant.public_id, "name": tenant.name})
    else:
        say(f"Added tenant {tenant.name} (id {tenant.id}, organization {tenant.public_id}).")


def show_all(*, data_dir: Path | None, is_json: bool) -> None:
    """List the tenants. Raises CommandError."""
    tenants = with_databases(data_dir, Databases.list_tenants)
    if is_json:
        show_json([asdict(tenant) for tenant in tenants])
        return
    rows = [(one.id, one.name, one.public_id, day(one.created_at)) for one in tenants]
    show_table(("id", "name", "organization", "added"), rows, numbers=("id",))

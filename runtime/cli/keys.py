"""What `entrepot keys` does."""

from dataclasses import asdict
from pathlib import Path

from db.keys import KeySummary, NewKey, create_key, find_key, list_keys, revoke_key
from db.tenants import Tenant
from runtime.cli.administration import Databases, bounded, pick_tenant, with_databases
from runtime.cli.errors import CliError
from runtime.cli.screen import day, say, show_json, show_table

_LONGEST_NAME = 120
_LONGEST_TYPE = 20
_COLUMNS = ("tenant", "key", "name", "type", "permissions", "made", "state")


def create(
    tenant: str, name: str, type_: str, permissions: str, *, data_dir: Path | None, is_json: bool
) -> None:
    """Make a key and show it with its secret. Raises CommandError."""
    new = _new_key(name, type_, permissions)

    async def work(databases: Databases) -> tuple[Tenant, str, str]:
        owner = pick_tenant(await databases.list_tenants(), tenant)
        async with databases.app.tenant(owner.id) as connection:
            key, secret = await create_key(connection, owner.id, new)
        return owner, key, secret.get_secret_value()

    owner, key, secret = with_databases(data_dir, work)
    if is_json:
        show_json({"tenant": owner.name, "key": key, "secret": secret})
        return
    say(f"Made the key {new.name!r} of {owner.name}. The secret is shown only now.")
    say(f"X-API-Key:    {key}")
    say(f"X-API-Secret: {secret}")


def _new_key(name: str, type_: str, permissions: str) -> NewKey:
    try:
        return NewKey(
            name=bounded("the name", name, _LONGEST_NAME),
            type=bounded("the type", type_, _LONGEST_TYPE),
            permissions=tuple(one.strip() for one in permissions.split(",") if one.strip()),
        )
    except ValueError as error:
        raise CliError(str(error)) from None


def show_all(tenant: str | None, *, data_dir: Path | None, is_json: bool) -> None:
    """List the keys of one tenant or of all. Raises CommandError."""

    async def work(databases: Databases) -> list[tuple[Tenant, KeySummary]]:
        tenants = await databases.list_tenants()
        if tenant is not None:
            tenants = [pick_tenant(tenants, tenant)]
        found = []
        for owner in tenants:
            async with databases.app.tenant(owner.id) as connection:
                found += [(owner, key) for key in await list_keys(connection)]
        return found

    keys = with_databases(data_dir, work)
    if is_json:
        show_json([{"tenant": owner.name, **asdict(key)} for owner, key in keys])
        return
    rows = [
        (
            *(owner.name, key.key, key.name, key.type, ", ".join(key.permissions)),
            *(day(key.created_at), "revoked" if key.revoked_at else "in force"),
        )
        for owner, key in keys
    ]
    show_table(_COLUMNS, rows)


def revoke(key: str, *, data_dir: Path | None) -> None:
    """Revoke a key by its public half. Raises CommandError."""

    async def work(databases: Databases) -> bool:
        async with databases.app.lookup() as connection:
            found = await find_key(connection, key)
        if found is None:
            return False
        async with databases.app.tenant(found.tenant_id) as connection:
            return await revoke_key(connection, key)

    if not with_databases(data_dir, work):
        raise CliError("there is no such key in force: `entrepot keys list` shows them")
    say(f"Revoked {key}.")

"""What `entrepot keys renew-signing` does."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncConnection

from db.audit import COMMAND_LINE, record_audit
from db.logins import end_all_sessions
from db.signing_keys import retire_signing_keys
from runtime.cli.administration import Databases, pick_tenant, with_databases
from runtime.cli.errors import CliError
from runtime.cli.screen import say, show_json, show_table

_COLUMNS = ("tenant", "keys retired", "logins ended")


@dataclass(frozen=True, slots=True)
class Renewed:
    """What became of one tenant's keys and logins."""

    tenant: str
    keys: int
    sessions: int


def renew(
    tenant: str | None, *, is_all: bool, with_sessions: bool, data_dir: Path | None, is_json: bool
) -> None:
    """Retire the signing keys of a tenant or of all. Raises CommandError.

    A tenant's are one transaction: whoever is stopped in between runs it again.
    """
    if (tenant is None) is not is_all:
        raise CliError("give --tenant or --all: whose signing keys are renewed?")

    async def work(databases: Databases) -> list[Renewed]:
        tenants = await databases.list_tenants()
        chosen = tenants if tenant is None else [pick_tenant(tenants, tenant)]
        renewed = []
        for owner in chosen:
            one = partial(_renew, owner.id, with_sessions)
            keys, sessions = await databases.app.transact(owner.id, one)
            renewed.append(Renewed(owner.name, keys, sessions))
        return renewed

    renewed = with_databases(data_dir, work)
    if is_json:
        show_json([asdict(one) for one in renewed])
        return
    rows = [(one.tenant, one.keys, one.sessions) for one in renewed]
    show_table(_COLUMNS, rows, numbers=_COLUMNS[1:])
    say("No access token of before is accepted any more.")
    say("The next login or refresh of a tenant signs with a new key.")


async def _renew(
    tenant_id: int, with_sessions: bool, connection: AsyncConnection
) -> tuple[int, int]:
    now = datetime.now(UTC)
    keys = await retire_signing_keys(connection, now)
    sessions = await end_all_sessions(connection, now) if with_sessions else 0
    if keys or sessions:
        action = "signing_key.renewed"
        await record_audit(
            connection, tenant_id, COMMAND_LINE, action, keys=keys, sessions=sessions
        )
    return keys, sessions

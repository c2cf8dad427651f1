"""What `entrepot keys rotate-master` does."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncConnection

from db.audit import COMMAND_LINE, record_audit
from db.crypto import SecretBox
from db.rotation import count_old, is_past, read_horizon, reseal_batch
from db.sealed_tables import SEALED_TABLES, SealedTable
from runtime.cli.administration import Databases, with_databases
from runtime.cli.errors import CliError
from runtime.cli.screen import say
from runtime.cli.target import Target, find_target
from runtime.embedded.keys import KEY_FILE, new_key, replace_keys
from runtime.embedded.locks import DirectoryLock
from runtime.failures import FAILED
from runtime.key_file import KeyFile
from runtime.master_keys import secret_box

SETTLE_S: Final = 90.0
"""Longer than any request or transaction that may still hold what it sealed with the old key."""

_MOST_ROUNDS: Final = 5
_SHOWN: Final = 20

Tell = Callable[[str], None]


def rotate(*, data_dir: Path | None, drop_old: bool) -> None:
    """Move every secret to the newest master key. Raises CommandError."""
    target = find_target(data_dir)
    with _alone(target):
        with_databases(data_dir, lambda found: _rotate(found, target, drop_old=drop_old))


async def _rotate(databases: Databases, target: Target, *, drop_old: bool) -> None:
    if target.data_dir is None and drop_old:
        raise CliError(
            "these keys are yours to drop: take them out of ENTREPOT_ENCRYPTION_KEYS_OLD"
        )
    box = secret_box(target.settings)
    if target.data_dir is not None:
        await begin(databases, box, target.data_dir, say, settle_s=SETTLE_S)
    moved = await move_all(databases, box, say)
    say(f"Nothing is left under an old key ({sum(moved.values())} re-encrypted).")
    if target.data_dir is None:
        place = "_KEY_FILE" if target.settings.encryption_key_file else "_KEYS_OLD"
        say(f"The old keys may go from ENTREPOT_ENCRYPTION{place}.")
    elif drop_old:
        await drop(databases, box, target.data_dir, say, settle_s=SETTLE_S)
    else:
        say(f"{target.data_dir / KEY_FILE} keeps the key of before, for backups of before: ")
        say("the next rotation takes it away, or --drop-old now.")


@contextmanager
def _alone(target: Target) -> Iterator[None]:
    """Two at a time would each make a key. With keys of the settings nobody makes any."""
    if target.data_dir is None:
        yield
        return
    lock = DirectoryLock(target.data_dir / "keys.lock", "the rotation of the master key")
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


async def begin(
    databases: Databases, box: SecretBox, data_dir: Path, tell: Tell, *, settle_s: float
) -> None:
    """Make a new key for a hub that keeps its own, unless the last rotation was not finished.

    From here on every process seals with the new key: each looks at the file before it seals, and
    when it meets a key it does not know. The file keeps the key of before and no older one, so
    nobody may hold what was sealed with an older one any more.
    """
    path = data_dir / KEY_FILE
    if len(KeyFile(path).read()) > 1 and not await _count(databases, box):
        await _settle(path, tell, settle_s)
    if await _count(databases, box):
        tell("Going on with the rotation that was not finished.")
        return
    held = KeyFile(path).read()
    replace_keys(data_dir, [new_key(), held[0]])
    tell(f"Made a new master key in {path}: back the file up.")


@dataclass(frozen=True, slots=True)
class _Moved:
    """How many secrets were moved, by table and by the id of the tenant."""

    tables: Counter[str] = field(default_factory=Counter)
    tenants: Counter[int] = field(default_factory=Counter)


async def move_all(databases: Databases, box: SecretBox, tell: Tell) -> Counter[str]:
    """Move every secret of every tenant; returns how many there were, by table.

    What was sealed with the old key before it was replaced may be written a moment later: so the
    writers of that moment are waited for, and then it is looked once more. The audit trail of each
    tenant says how many of theirs were moved and how many are left, whether it ends well or not.

    Raises:
        CliError: some do not open, or somebody goes on sealing with an old key.
    """
    moved = _Moved()
    try:
        await _until_none_is_left(databases, box, tell, moved)
        await _wait_for_writers(databases)
        await _until_none_is_left(databases, box, tell, moved)
    finally:
        await _remember(databases, box, moved)
    return +moved.tables


async def drop(
    databases: Databases, box: SecretBox, data_dir: Path, tell: Tell, *, settle_s: float
) -> None:
    """Take the old keys out of the file, when nobody can hold anything that was sealed with them.

    Raises:
        CliError: see `move_all`.
    """
    path = data_dir / KEY_FILE
    await _settle(path, tell, settle_s)
    await move_all(databases, box, tell)
    replace_keys(data_dir, KeyFile(path).read()[:1])
    tell("The old keys are gone: backups of before need the file that was kept with them.")


async def _settle(path: Path, tell: Tell, settle_s: float) -> None:
    """Wait until nobody holds what was sealed with another key than the file's newest."""
    wait_s = settle_s - _age_s(path)
    if wait_s > 0:
        tell(f"Waiting {wait_s:.0f} s for what was under way when the key was made.")
        await asyncio.sleep(wait_s)


def _age_s(path: Path) -> float:
    return time.time() - path.stat().st_mtime


async def _until_none_is_left(
    databases: Databases, box: SecretBox, tell: Tell, moved: _Moved
) -> None:
    for _ in range(_MOST_ROUNDS):
        before = moved.tables.total()
        unreadable = await _once_over(databases, box, tell, moved)
        if unreadable:
            raise _unreadable(unreadable)
        if moved.tables.total() == before:
            return
    raise CliError(
        "secrets keep being sealed with an old key: give every process the new one as its "
        "ENTREPOT_ENCRYPTION_KEY, start them again, and run this again",
        exit_code=FAILED,
    )


async def _once_over(databases: Databases, box: SecretBox, tell: Tell, moved: _Moved) -> list[str]:
    """Move what is there; the secrets that do not open, with the reason."""
    before, unreadable = moved.tables.copy(), list[str]()
    for tenant in await databases.list_tenants():
        for sealed in SEALED_TABLES:
            unreadable += await _move(databases, tenant.id, sealed, box, moved)
    for name, count in (moved.tables - before).items():
        tell(f"{name}: {count} re-encrypted")
    return unreadable


async def _move(
    databases: Databases, tenant_id: int, sealed: SealedTable, box: SecretBox, moved: _Moved
) -> list[str]:
    unreadable: list[str] = []
    after: tuple[Any, ...] | None = None
    while True:
        work = partial(reseal_batch, sealed=sealed, box=box, after=after)
        batch = await databases.app.transact(tenant_id, work)
        moved.tables[sealed.table.name] += batch.moved
        moved.tenants[tenant_id] += batch.moved
        unreadable += batch.unreadable
        if batch.last is None:
            return unreadable
        after = batch.last


async def _count(databases: Databases, box: SecretBox) -> int:
    count = 0
    for tenant in await databases.list_tenants():
        async with databases.app.tenant(tenant.id) as connection:
            count += await _count_of(connection, box)
    return count


async def _count_of(connection: AsyncConnection, box: SecretBox) -> int:
    return sum([await count_old(connection, sealed, box) for sealed in SEALED_TABLES])


async def _wait_for_writers(databases: Databases) -> None:
    async with databases.app.lookup() as connection:
        horizon = await read_horizon(connection)
    try:
        async with asyncio.timeout(SETTLE_S):
            while True:
                async with databases.app.lookup() as connection:
                    if await is_past(connection, horizon):
                        return
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise CliError(
            f"a transaction has been open for more than {SETTLE_S:.0f} s, and may bring a secret "
            "under the old key: run this again when it has ended (see pg_stat_activity)",
            exit_code=FAILED,
        ) from None


async def _remember(databases: Databases, box: SecretBox, moved: _Moved) -> None:
    if not moved.tables.total():
        return
    for tenant in await databases.list_tenants():
        async with databases.app.tenant(tenant.id) as connection:
            await record_audit(
                connection,
                tenant.id,
                COMMAND_LINE,
                "master_key.rotated",
                moved=moved.tenants[tenant.id],
                left=await _count_of(connection, box),
            )


def _unreadable(reasons: list[str]) -> CliError:
    more = f"; and {len(reasons) - _SHOWN} more" if len(reasons) > _SHOWN else ""
    return CliError(
        f"{len(reasons)} could not be re-encrypted, all others were: "
        f"{'; '.join(reasons[:_SHOWN])}{more}",
        exit_code=FAILED,
    )

"""A hub's secrets in a database and its key in a file, as its processes have them."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from db import idempotency
from db.alert_channels import StoredChannel, allocate_channel_id, channel_context, replace_channels
from db.connect_tokens import NewToken, create_token, token_context
from db.crypto import Sealed, SecretBox, store_context
from db.sealed_tables import CIPHERTEXT, SEALED_TABLES, SealedTable
from db.signing_keys import signing_key_context
from db.store_checks import StoreCheck, create_check
from runtime.cli.administration import Databases
from runtime.cli.master_key import begin, move_all
from runtime.embedded.keys import ensure_key_file
from runtime.master_keys import secret_box
from runtime.settings import Settings
from tests.db.room import Room

WHOLE: Final = {
    "stores": {b"store"},
    "store_checks": {b"store"},
    "signing_keys": {b"signing"},
    "alert_channels": {b"channel"},
    "connect_tokens": {b"token"},
    "idempotency_keys": {b"answer"},
}
"""What the secrets of a tenant say, by table."""

_TOKEN = "a token of an installation"


class Installation:
    """A data directory with a database: what each process of a hub has of them."""

    def __init__(self, data_dir: Path, databases: Databases, url: str) -> None:
        self.data_dir = data_dir
        self.databases = databases
        self._url = url
        self.told: list[str] = []

    def box(self) -> SecretBox:
        """As a process that is started now."""
        settings = {
            "database_url": self._url,
            "encryption_key_file": ensure_key_file(self.data_dir),
        }
        return secret_box(Settings.model_validate(settings))

    async def rotate(self, *, settle_s: float = 0) -> int:
        """The command; how many secrets it moved."""
        box = self.box()
        await begin(self.databases, box, self.data_dir, self.told.append, settle_s=settle_s)
        return sum((await move_all(self.databases, box, self.told.append)).values())

    async def begin(self) -> SecretBox:
        """The command, killed behind its first step."""
        box = self.box()
        await begin(self.databases, box, self.data_dir, self.told.append, settle_s=0)
        return box


async def fill(room: Room, box: SecretBox, *, answers: int = 1) -> None:
    """A secret in every table that keeps some; more of the answers than fit into a batch."""
    tenant_id, now = room.tenant_id, datetime.now(UTC)
    store = box.seal(b"store", context=store_context(room.store_id))
    await room.rows(
        "update stores set encrypted_data = :encrypted_data, iv = :iv, tag = :tag,"
        " key_id = :key_id where id = :store",
        **asdict(store),
    )
    await room.rows(
        "insert into signing_keys (tenant_id, kid, encrypted_data, iv, tag, key_id,"
        " signs_until, verifies_until) values (:tenant, :kid, :encrypted_data, :iv, :tag,"
        " :key_id, now(), now())",
        tenant=tenant_id,
        kid=f"kid-{tenant_id}",
        **asdict(box.seal(b"signing", context=signing_key_context(f"kid-{tenant_id}"))),
    )
    async with room.database.tenant(tenant_id) as connection:
        check = StoreCheck(room.store_id, "woocommerce", store)
        await create_check(connection, tenant_id, check, expires_at=now + timedelta(minutes=15))
        channel_id = await allocate_channel_id(connection)
        sealed = box.seal(b"channel", context=channel_context(channel_id))
        channel = StoredChannel(channel_id, "webhook", "pager", True, sealed)
        await replace_channels(connection, tenant_id, [channel])
        token = f"{_TOKEN} {tenant_id}"
        sealed = box.seal(b"token", context=token_context(token))
        new = NewToken("woocommerce", token, sealed, now + timedelta(hours=1))
        await create_token(connection, tenant_id, new)
        for number in range(answers):
            attempt = idempotency.Attempt(tenant_id, "POST /x", str(number), b"hash", now)
            await idempotency.claim(connection, attempt)
            sealed = box.seal(b"answer", context=idempotency.answer_context(attempt))
            await idempotency.remember(connection, attempt, status_code=200, answer=sealed)


async def sealed_rows(room: Room, table: SealedTable) -> list[Any]:
    async with room.database.tenant(room.tenant_id) as connection:
        chosen = table.table.select().where(table.table.c.key_id.is_not(None))
        return list((await connection.execute(chosen)).mappings())


async def opened(room: Room, box: SecretBox) -> dict[str, set[bytes]]:
    """What the tenant's secrets say, by table."""
    return {
        one.table.name: {
            box.open(Sealed(*(row[name] for name in CIPHERTEXT)), context=one.context_of(row))
            for row in await sealed_rows(room, one)
        }
        for one in SEALED_TABLES
    }


async def keys_in_use(room: Room) -> set[str]:
    return {row["key_id"] for one in SEALED_TABLES for row in await sealed_rows(room, one)}

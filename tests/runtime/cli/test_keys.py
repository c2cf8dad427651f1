"""`entrepot keys`: what is made by a command, and what is left of it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import uuid4

import pytest

from db.alert_channels import (
    StoredChannel,
    allocate_channel_id,
    channel_context,
    list_channels,
    replace_channels,
)
from db.audit import AuditFilter, list_audit
from db.crypto import SecretBox
from db.key_usage import Use, add_uses
from db.keys import find_key
from db.logins import NewSession, begin_session
from db.session import Database
from db.signing_keys import KeyTimes, take_signing_key
from db.users import NewUser, create_user, find_account
from domain.roles import Role
from runtime.cli.__main__ import run

Show = pytest.CaptureFixture[str]
T = TypeVar("T")

NEW = "6b" * 32


@pytest.fixture(autouse=True)
def _database(settings_env: dict[str, str]) -> None:
    """The commands find this module's servers in the environment."""


@pytest.fixture
def tenant(capsys: Show) -> dict[str, Any]:
    return dict(shown_json(capsys, "tenants", "add", f"Tenant {uuid4().hex[:8]}"))


def shown_json(capsys: Show, *arguments: str) -> Any:
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def complaint(capsys: Show, *arguments: str) -> str:
    assert run(arguments) != 0
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err


def made(capsys: Show, tenant: dict[str, Any], *options: str) -> dict[str, str]:
    wanted = ("--tenant", tenant["name"], "--name", "till", *options)
    return dict(shown_json(capsys, "keys", "create", *wanted))


def in_database(url: str, work: Callable[[Database], Awaitable[T]]) -> T:
    async def doing() -> T:
        database = Database(url, pool_size=2)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(doing())


def listed(capsys: Show, tenant: dict[str, Any]) -> list[dict[str, Any]]:
    return list(shown_json(capsys, "keys", "list", "--tenant", tenant["name"]))


def audited(url: str, tenant: dict[str, Any]) -> list[str]:
    async def work(database: Database) -> list[str]:
        async with database.tenant(tenant["id"]) as connection:
            found = await list_audit(connection, AuditFilter(), before=2**62, limit=100)
        return [f"{one.actor_kind} {one.action}" for one in found]

    return in_database(url, work)


def test_a_key_is_made_with_an_end_addresses_and_a_limit(
    capsys: Show, tenant: dict[str, Any], app_url: str
) -> None:
    limits = ("--expires", "90d", "--per-minute", "120")
    networks = ("--ip", "203.0.113.0/24", "--ip", "2001:DB8::1")
    key = made(capsys, tenant, *limits, *networks)["key"]
    (shown,) = listed(capsys, tenant)
    assert shown["ip_allow_list"] == ["203.0.113.0/24", "2001:db8::1"]
    assert shown["requests_per_minute"] == 120
    ends_in = datetime.fromisoformat(shown["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89, hours=23) < ends_in <= timedelta(days=90)

    async def look(database: Database) -> tuple[Any, ...]:
        async with database.lookup() as connection:
            found = await find_key(connection, key)
        assert found is not None
        return found.ip_allow_list, found.requests_per_minute

    # As the API looks it up, before it knows the tenant.
    assert in_database(app_url, look) == (("203.0.113.0/24", "2001:db8::1"), 120)
    assert audited(app_url, tenant) == ["cli key.created"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--expires", "soon"), "--expires takes 2027-03-31, 2027-03-31T12:00 or 90d"),
        (("--expires", "2020-01-01"), "--expires: 2020-01-01 is in the past"),
        (("--ip", "office"), "'office' is neither an address nor a network"),
        (("--ip", "10.1.2.3/8"), "write 10.1.2.3 for the address or 10.0.0.0/8"),
        (("--per-minute", "2000000"), "requests per minute are 1 to 1000000"),
        (("--permissions", ""), "a key without a permission opens nothing"),
        (("--permissions", " , "), "a key without a permission opens nothing"),
    ],
)
def test_wrong_options_are_refused(
    capsys: Show, tenant: dict[str, Any], options: tuple[str, ...], said: str
) -> None:
    wanted = ("--tenant", tenant["name"], "--name", "till", *options)
    assert said in complaint(capsys, "keys", "create", *wanted)
    assert listed(capsys, tenant) == []


def test_a_key_is_rotated_with_overlap(capsys: Show, tenant: dict[str, Any], app_url: str) -> None:
    old = made(capsys, tenant, "--permissions", "stores:read", "--ip", "203.0.113.7")
    new = shown_json(capsys, "keys", "rotate", old["key"], "--overlap-hours", "2")
    first, second = listed(capsys, tenant)
    assert [first["key"], second["key"]] == [old["key"], new["key"]]
    assert second["rotated_from"] == first["id"]
    for name in ("name", "permissions", "ip_allow_list"):
        assert second[name] == first[name]
    ends_in = datetime.fromisoformat(first["expires_at"]) - datetime.now(UTC)
    assert timedelta(hours=1) < ends_in <= timedelta(hours=2)
    assert "was rotated already" in complaint(capsys, "keys", "rotate", old["key"])
    assert run(["keys", "revoke", new["key"]]) == 0
    capsys.readouterr()
    assert "is revoked or expired" in complaint(capsys, "keys", "rotate", new["key"])
    assert audited(app_url, tenant) == ["cli key.revoked", "cli key.rotated", "cli key.created"]


def test_the_use_of_a_key_is_shown_by_day(
    capsys: Show, tenant: dict[str, Any], app_url: str
) -> None:
    key = made(capsys, tenant)["key"]
    (shown,) = listed(capsys, tenant)
    now = datetime.now(UTC)

    async def use(database: Database) -> None:
        async with database.tenant(tenant["id"]) as connection:
            for days, requests in ((0, 3), (0, 4), (40, 9)):
                moment = now - timedelta(days=days)
                counted = {(shown["id"], moment.date()): Use(moment, requests, 1, 0)}
                await add_uses(connection, tenant["id"], counted)

    in_database(app_url, use)
    today = {"day": now.date().isoformat(), "requests": 7, "refused": 2, "failed": 0}
    assert shown_json(capsys, "keys", "usage", key) == [today]
    assert len(shown_json(capsys, "keys", "usage", key, "--days", "60")) == 2
    used = datetime.fromisoformat(listed(capsys, tenant)[0]["last_used_at"])
    assert abs(used - now) < timedelta(seconds=1)
    assert "no such key" in complaint(capsys, "keys", "usage", "ek_none")


def test_secrets_move_to_the_key_of_the_settings(
    capsys: Show,
    tenant: dict[str, Any],
    app_url: str,
    settings_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = settings_env["ENTREPOT_ENCRYPTION_KEY"]

    async def seal(database: Database) -> None:
        async with database.tenant(tenant["id"]) as connection:
            channel_id = await allocate_channel_id(connection)
            box = SecretBox([bytes.fromhex(old)])
            sealed = box.seal(b"pager", context=channel_context(channel_id))
            channel = StoredChannel(channel_id, "webhook", "Pager", True, sealed)
            await replace_channels(connection, tenant["id"], [channel])

    async def opened(database: Database) -> bytes:
        async with database.tenant(tenant["id"]) as connection:
            (channel,) = await list_channels(connection)
        return SecretBox([bytes.fromhex(NEW)]).open(
            channel.sealed, context=channel_context(channel.id)
        )

    in_database(app_url, seal)
    monkeypatch.setenv("ENTREPOT_ENCRYPTION_KEY", NEW)
    # Without the old key nothing opens, and nothing is written.
    refused = complaint(capsys, "keys", "rotate-master")
    assert "1 could not be re-encrypted" in refused
    assert "ENTREPOT_ENCRYPTION_KEYS_OLD" in refused
    monkeypatch.setenv("ENTREPOT_ENCRYPTION_KEYS_OLD", old)
    assert run(["keys", "rotate-master"]) == 0
    said = capsys.readouterr().out
    assert "alert_channels: 1 re-encrypted" in said
    assert "Nothing is left under an old key (1 re-encrypted)." in said
    assert in_database(app_url, opened) == b"pager"
    assert run(["keys", "rotate-master"]) == 0
    assert "(0 re-encrypted)" in capsys.readouterr().out
    assert audited(app_url, tenant) == ["cli master_key.rotated"]
    assert "are yours to drop" in complaint(capsys, "keys", "rotate-master", "--drop-old")
    assert old not in said + refused
    assert NEW not in said + refused


def test_leaked_signing_keys_are_retired_of_one_tenant_or_of_all(
    capsys: Show, tenant: dict[str, Any], app_url: str
) -> None:
    other = dict(shown_json(capsys, "tenants", "add", f"Tenant {uuid4().hex[:8]}"))
    for owner in (tenant, other):
        in_database(app_url, partial(log_in, tenant_id=owner["id"]))

    def renewed(*options: str) -> list[dict[str, Any]]:
        return list(shown_json(capsys, "keys", "renew-signing", *options))

    one = ("--tenant", tenant["name"])
    assert renewed(*one) == [{"tenant": tenant["name"], "keys": 1, "sessions": 0}]
    assert renewed(*one) == [{"tenant": tenant["name"], "keys": 0, "sessions": 0}]
    of_all = renewed("--all", "--sessions")
    counts = {row["tenant"]: (row["keys"], row["sessions"]) for row in of_all}
    assert (counts[tenant["name"]], counts[other["name"]]) == ((0, 1), (1, 1))
    assert audited(app_url, other)[0] == "cli signing_key.renewed"
    assert audited(app_url, tenant).count("cli signing_key.renewed") == 2
    for wrong in ((), (*one, "--all")):
        assert "give --tenant or --all" in complaint(capsys, "keys", "renew-signing", *wrong)
    assert run(["keys", "renew-signing", *one]) == 0
    assert f"{tenant['name']}\t0\t0\n" in capsys.readouterr().out


async def log_in(database: Database, tenant_id: int) -> None:
    """A session of somebody, and the key that its tokens are signed with."""
    now, times = datetime.now(UTC), KeyTimes(timedelta(days=7), timedelta(minutes=15))
    new = NewUser(f"ann@{uuid4().hex}.test", "Ann", Role.VIEWER)
    async with database.tenant(tenant_id) as connection:
        await create_user(connection, tenant_id, new, "hash")
        account = await find_account(connection, new.email)
        assert account is not None
        await begin_session(connection, account, NewSession(now, now + timedelta(days=30)))
        await take_signing_key(connection, tenant_id, SecretBox([b"k" * 32]), times, now)

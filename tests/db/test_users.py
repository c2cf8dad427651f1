"""People, their sessions and the keys of their tokens, as the database keeps them."""

from datetime import datetime, timedelta

import pytest

from db import logins
from db.crypto import SecretBox
from db.logins import NewSession
from db.session import Database
from db.signing_keys import KeyTimes, SigningKey, take_signing_key
from db.users import (
    NewUser,
    get_user,
    list_users,
    set_active,
    set_password,
    set_role,
)
from domain.errors import ConflictError, SecretError
from domain.roles import Role
from tests.db.people import LATER, NOW, account, add, begin, name_of
from tests.db.room import Room, new_room

BOX = SecretBox([b"k" * 32])
TIMES = KeyTimes(signs=timedelta(days=7), believed=timedelta(minutes=15))


async def test_an_address_belongs_to_one_person_of_one_tenant_whatever_its_case(
    app: Database, owner: Database
) -> None:
    ours, theirs = await new_room(app, owner), await new_room(app, owner)
    email = name_of(ours)
    made = await add(ours, email.title())
    for room in (ours, theirs):
        with pytest.raises(ConflictError, match="belongs to somebody already"):
            await add(room, email)
    found = await account(app, email.upper())
    assert (found.tenant_id, found.id, found.email) == (ours.tenant_id, made.id, email.title())
    assert "a hash" not in repr(found)
    async with app.tenant(theirs.tenant_id) as connection:
        assert await get_user(connection, made.id) is None
        assert not await list_users(connection)


@pytest.mark.parametrize(
    "email",
    [
        *("", "ann", "@example.test", "ann@", "ann@-x.test", "a b@example.test", "ann@x.test\n"),
        *("änn@example.test", "ann@exаmple.test", "a@b@c.test", f"{'x' * 65}@example.test"),
        f"ann@{'x' * 251}",
    ],
)
def test_what_is_no_address_is_refused(email: str) -> None:
    with pytest.raises(ValueError, match="an e-mail address like"):
        NewUser(email, "Ann", Role.VIEWER)


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "two\nlines"])
def test_a_person_needs_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="the name must be 1 to 120 visible characters"):
        NewUser("ann@example.test", name, Role.VIEWER)


async def test_changes_say_whether_they_changed_anything(app: Database, room: Room) -> None:
    user = await add(room, name_of(room))
    async with app.tenant(room.tenant_id) as connection:
        assert [await set_active(connection, user.id, is_active=False) for _ in "ab"] == [
            *(True, False)
        ]
        assert [await set_role(connection, user.id, Role.VIEWER) for _ in "ab"] == [True, False]
        assert [await set_password(connection, user.id, "b") for _ in "ab"] == [True, False]
        assert not await set_active(connection, user.id + 1_000_000, is_active=False)
        (listed,) = await list_users(connection)
    assert (listed.role, listed.is_active, listed.last_login_at) == ("viewer", False, None)


@pytest.mark.parametrize("change", ["disabled", "password"])
async def test_an_account_that_changed_meanwhile_opens_no_session(
    app: Database, room: Room, change: str
) -> None:
    user = await add(room, name_of(room))
    read = await account(app, user.email)
    async with app.tenant(room.tenant_id) as connection:
        if change == "disabled":
            await set_active(connection, user.id, is_active=False)
        else:
            await set_password(connection, user.id, "another hash")
    async with app.tenant(room.tenant_id) as connection:
        assert await logins.begin_session(connection, read, NewSession(NOW, LATER)) is None
    assert await room.rows("select count(*) from login_sessions") == [(0,)]


async def test_old_sessions_do_not_pile_up(app: Database, room: Room) -> None:
    user = await add(room, name_of(room))
    owner = await account(app, user.email)
    await room.rows(
        "insert into login_sessions (tenant_id, user_id, expires_at, last_used_at)"
        " select tenant_id, id, :later, :now - n * interval '1 minute' from users,"
        " generate_series(1, 150) n returning 1",
        now=NOW,
        later=LATER,
    )
    session_id, _ = await begin(room, owner)
    assert await room.rows("select count(*), max(id) from login_sessions") == [(100, session_id)]
    await room.rows(
        "update login_sessions set expires_at = :now where id <> :id", now=NOW, id=session_id
    )
    await begin(room, owner)
    assert await room.rows("select count(*) from login_sessions") == [(2,)]


async def test_what_ends_every_session_ends_only_that_persons(app: Database, room: Room) -> None:
    ann, bob = await add(room, name_of(room)), await add(room, name_of(room, "bob"))
    for email in (ann.email, ann.email, bob.email):
        await begin(room, await account(app, email))
    async with app.tenant(room.tenant_id) as connection:
        assert await logins.end_sessions_of(connection, ann.id, NOW) == 2
        assert await logins.end_sessions_of(connection, ann.id, NOW) == 0
    alive = await room.rows("select user_id from login_sessions where revoked_at is null")
    assert alive == [(bob.id,)]


async def test_a_session_is_found_only_with_a_key_of_its_own_tenant(
    app: Database, owner: Database
) -> None:
    ours, theirs = await new_room(app, owner), await new_room(app, owner)
    user = await add(ours, name_of(ours))
    session_id, _ = await begin(ours, await account(app, user.email))
    keys = [await take(room) for room in (ours, theirs)]
    async with app.lookup() as connection:
        found = await logins.find_session(connection, keys[0].kid, session_id, NOW)
        assert await logins.find_session(connection, keys[1].kid, session_id, NOW) is None
        assert await logins.find_session(connection, "none", session_id, NOW) is None
        late = await logins.find_session(connection, keys[0].kid, session_id, LATER)
    assert found is not None
    assert late is not None
    assert (found.tenant_id, found.user_id, found.role) == (ours.tenant_id, user.id, "owner")
    assert (found.is_alive, late.is_alive) == (True, False)
    assert found.sealed_key.encrypted_data not in repr(found)


async def take(room: Room, now: datetime = NOW, times: KeyTimes = TIMES) -> SigningKey:
    async with room.database.tenant(room.tenant_id) as connection:
        return await take_signing_key(connection, room.tenant_id, BOX, times, now)


async def test_a_signing_key_is_followed_by_another_and_forgotten_after_its_tokens(
    room: Room,
) -> None:
    first = await take(room)
    assert await take(room, NOW + timedelta(days=7, seconds=-1)) == first
    second = await take(room, NOW + timedelta(days=7))
    assert second.kid != first.kid
    assert second.secret != first.secret
    assert await kids(room) == {first.kid, second.kid}
    third = await take(room, NOW + timedelta(days=14))
    assert await kids(room) == {second.kid, third.kid}
    assert first.secret.hex() not in repr(first)


async def kids(room: Room) -> set[str]:
    return {kid for (kid,) in await room.rows("select kid from signing_keys")}


async def test_a_key_never_signs_what_outlives_it(room: Room) -> None:
    first = await take(room)
    longer = KeyTimes(signs=timedelta(days=7), believed=timedelta(days=8))
    assert (await take(room, times=longer)).kid != first.kid


async def test_a_signing_key_is_kept_sealed_to_its_name(room: Room) -> None:
    key = await take(room)
    ((data,),) = await room.rows("select encrypted_data from signing_keys")
    assert key.secret.hex() != data
    await room.rows("update signing_keys set kid = 'another' returning 1")
    with pytest.raises(SecretError, match="altered, or belongs elsewhere"):
        await take(room)

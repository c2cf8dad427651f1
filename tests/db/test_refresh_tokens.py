"""The refresh tokens that carry sessions on."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import SecretStr

from db import logins, refresh_tokens
from db.logins import Ended
from db.refresh_tokens import Lifetime, Refusal, Refused, Renewed
from db.session import Database
from tests.db.people import LATER, NOW, account, add, begin, name_of
from tests.db.room import Room, new_room

LIFETIME = Lifetime(unused=timedelta(days=30), longest=timedelta(days=90))


async def spend(room: Room, token: SecretStr, now: datetime = NOW) -> Renewed | Refused:
    async with room.database.tenant(room.tenant_id) as connection:
        return await refresh_tokens.spend_refresh_token(connection, token, now, LIFETIME)


async def renew(room: Room, session_id: int, token: SecretStr, now: datetime) -> SecretStr:
    renewed = await spend(room, token, now)
    assert isinstance(renewed, Renewed)
    async with room.database.tenant(room.tenant_id) as connection:
        return await refresh_tokens.add_refresh_token(
            connection, room.tenant_id, session_id, expires_at=renewed.expires_at, before=token
        )


async def test_a_refresh_token_is_good_once_and_ends_its_session_the_second_time(
    app: Database, room: Room
) -> None:
    user = await add(room, name_of(room))
    session_id, token = await begin(room, await account(app, user.email))
    other_id, other = await begin(room, await account(app, user.email))
    assert await spend(room, token) == Renewed(session_id, user.id, LATER)
    assert await spend(room, token) == Refused(Refusal.REUSED, Ended(session_id, user.id))
    assert await spend(room, token) == Refused(Refusal.REUSED)
    assert await spend(room, other) == Renewed(other_id, user.id, LATER)


async def test_of_many_uses_at_once_exactly_one_wins_and_the_session_ends(
    app: Database, room: Room
) -> None:
    user = await add(room, name_of(room))
    session_id, token = await begin(room, await account(app, user.email))
    outcomes: Sequence[Renewed | Refused] = await asyncio.gather(
        *(spend(room, token) for _ in range(6))
    )
    assert outcomes.count(Renewed(session_id, user.id, LATER)) == 1
    assert outcomes.count(Refused(Refusal.REUSED, Ended(session_id, user.id))) == 1
    assert outcomes.count(Refused(Refusal.REUSED)) == 4
    assert await room.rows("select revoked_at is null from login_sessions") == [(False,)]


async def test_a_token_of_another_tenant_is_unknown(app: Database, owner: Database) -> None:
    ours, theirs = await new_room(app, owner), await new_room(app, owner)
    user = await add(ours, name_of(ours))
    _, token = await begin(ours, await account(app, user.email))
    assert await spend(theirs, token) == Refused(Refusal.UNKNOWN)
    async with app.lookup() as connection:
        assert await refresh_tokens.find_tokens_tenant(connection, token) == ours.tenant_id
        assert await refresh_tokens.find_tokens_tenant(connection, SecretStr("er_none")) is None


async def test_a_session_lasts_as_long_as_it_is_used(app: Database, room: Room) -> None:
    user = await add(room, name_of(room))
    session_id, token = await begin(room, await account(app, user.email))
    assert await spend(room, token, LATER) == Refused(Refusal.EXPIRED)
    soon = LATER - timedelta(seconds=1)
    assert await spend(room, token, soon) == Renewed(session_id, user.id, soon + LIFETIME.unused)
    ended = await room.rows("update login_sessions set expires_at = :at returning 1", at=NOW)
    assert ended == [(1,)]
    async with app.tenant(room.tenant_id) as connection:
        late = await refresh_tokens.add_refresh_token(
            connection, room.tenant_id, session_id, expires_at=LATER
        )
        assert await logins.end_session(connection, session_id, NOW) is None
    assert await spend(room, late) == Refused(Refusal.ENDED)


async def test_a_session_has_an_end_however_much_it_is_used(app: Database, room: Room) -> None:
    user = await add(room, name_of(room))
    session_id, token = await begin(room, await account(app, user.email))
    end = NOW + LIFETIME.longest
    for day in (20, 40, 60):
        token = await renew(room, session_id, token, NOW + timedelta(days=day))
    assert await room.rows("select expires_at from login_sessions") == [(end,)]
    assert await room.rows("select expires_at from refresh_tokens") == [(end,)]
    token = await renew(room, session_id, token, end - timedelta(seconds=1))
    assert await spend(room, token, end) == Refused(Refusal.EXPIRED)


async def test_a_shorter_limit_counts_for_sessions_that_are_open(app: Database, room: Room) -> None:
    user = await add(room, name_of(room))
    _, token = await begin(room, await account(app, user.email))
    async with app.tenant(room.tenant_id) as connection:
        shorter = Lifetime(LIFETIME.unused, timedelta(days=1))
        moment = NOW + timedelta(days=1)
        refused = await refresh_tokens.spend_refresh_token(connection, token, moment, shorter)
    assert refused == Refused(Refusal.ENDED)


async def test_every_used_token_is_known_though_none_is_kept(app: Database, room: Room) -> None:
    user = await add(room, name_of(room))
    owner = await account(app, user.email)
    for used in range(4):
        session_id, token = await begin(room, owner)
        tokens = [token]
        for _ in range(4):
            tokens.append(await renew(room, session_id, tokens[-1], NOW))
        kept = "select count(*) from refresh_tokens where session_id = :id"
        assert await room.rows(kept, id=session_id) == [(1,)]
        async with app.lookup() as connection:
            found = await refresh_tokens.find_tokens_tenant(connection, tokens[used])
        assert found == room.tenant_id
        ended = Refused(Refusal.REUSED, Ended(session_id, user.id))
        assert await spend(room, tokens[used]) == ended
        assert await spend(room, tokens[-1]) == Refused(Refusal.ENDED)
    session_id, token = await begin(room, owner)
    used_up = token
    await renew(room, session_id, token, NOW)
    async with app.tenant(room.tenant_id) as connection:
        ended_by = await refresh_tokens.end_token_session(connection, used_up, NOW)
    assert ended_by == Ended(session_id, user.id)


async def test_a_token_of_the_release_before_works_on_and_is_known_when_used(
    app: Database, room: Room
) -> None:
    user = await add(room, name_of(room))
    session_id, token = await begin(room, await account(app, user.email))
    old = SecretStr("er_" + "x" * 43)
    await room.rows(
        "update refresh_tokens set token_hash = :hash", hash=refresh_tokens.hash_refresh_token(old)
    )
    await room.rows("update login_sessions set family_hash = null")
    await room.rows(
        "insert into refresh_tokens (tenant_id, session_id, token_hash, expires_at)"
        " select tenant_id, id, 'expired', :now from login_sessions",
        now=NOW,
    )
    newer = await renew(room, session_id, old, NOW)
    newest = await renew(room, session_id, newer, NOW)
    kept = "select used_at is not null from refresh_tokens order by 1"
    assert await room.rows(kept) == [(False,), (True,)]
    assert await spend(room, old) == Refused(Refusal.REUSED, Ended(session_id, user.id))
    assert await spend(room, newest) == Refused(Refusal.ENDED)
    assert await spend(room, token) == Refused(Refusal.UNKNOWN)

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from activities.alerts import AlertTake
from activities.lanes import LaneRef, Turn, TurnLostError
from activities.mail import Mailer
from db.alert_channels import (
    StoredChannel,
    allocate_channel_id,
    channel_context,
    replace_channels,
)
from db.alerts import AlertKind, NewAlert, raise_alert, resolve_alerts
from db.crypto import SecretBox
from db.session import Database
from domain.lanes import LaneKind
from providers._kit.http import StoreSession
from tests.activities.listeners import mail_server, web_server
from tests.db.room import Room, new_room

BOX = SecretBox([b"k" * 32])
SECRET = "alert_secret_planted_81"
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


class OpenTurn(Turn):
    """Nobody else ever takes this turn."""

    async def confirm(self, connection: AsyncConnection) -> None:
        """Still ours."""


@dataclass(frozen=True)
class Desk:
    """A tenant whose alerts are told."""

    room: Room
    take: AlertTake

    async def turn(self, *, now: datetime = NOW) -> int:
        ref = LaneRef(tenant_id=self.room.tenant_id, kind=LaneKind.ALERT, key=self.room.tenant_id)
        return await self.take(OpenTurn(ref, 1, now, (0, 300, 900)))

    async def channels(self, configs: Sequence[dict[str, Any]]) -> None:
        async with self.room.database.tenant(self.room.tenant_id) as connection:
            stored = []
            for config in configs:
                number = await allocate_channel_id(connection)
                sealed = BOX.seal(json.dumps(config).encode(), context=channel_context(number))
                stored.append(StoredChannel(number, config["kind"], "Any", True, sealed))
            await replace_channels(connection, self.room.tenant_id, stored)

    async def alarm(self, subject: str = "store/1") -> int | None:
        alert = NewAlert(
            tenant_id=self.room.tenant_id,
            kind=AlertKind.SYNC_FAILED,
            subject=subject,
            title="Main shop: sync stopped",
            message="The shop did not answer.",
            store_id=self.room.store_id,
            command="entrepot retry 1",
        )
        async with self.room.database.tenant(self.room.tenant_id) as connection:
            return await raise_alert(connection, alert)

    async def messages(self) -> list[tuple[Any, ...]]:
        return await self.room.rows(
            "select channel_id is null, status, attempts from alert_messages order by id"
        )


@pytest.fixture
async def desk(app_url: str, owner_url: str) -> AsyncIterator[Desk]:
    app, owner = Database(app_url, pool_size=8), Database(owner_url, pool_size=1)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(app.close)
        stack.push_async_callback(owner.close)
        session = await stack.enter_async_context(StoreSession.open(allow_private_addresses=True))
        mailer = Mailer(allow_private_addresses=True)
        take = AlertTake(app, BOX, session, mailer, public_url="https://hub.example")
        yield Desk(await new_room(app, owner), take)


def webhook(url: str) -> dict[str, Any]:
    return {"kind": "webhook", "url": url, "secret": SECRET}


def smtp(port: int, **more: Any) -> dict[str, Any]:
    return {
        "kind": "smtp",
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "hub@example.com",
        "recipients": ["ops@example.com"],
        **more,
    }


async def test_an_alert_is_posted_mailed_and_put_into_the_feed(desk: Desk) -> None:
    async with web_server() as posts, mail_server() as box:
        await desk.channels([webhook(posts.url), smtp(box.port)])
        alert_id = await desk.alarm()
        assert await desk.turn() == 3
        assert await desk.turn() == 0
    [(headers, body)] = posts.taken
    stamp = headers["x-entrepot-timestamp"]
    digest = hmac.new(SECRET.encode(), stamp.encode() + b"." + body, hashlib.sha256)
    assert headers["x-entrepot-signature"] == f"sha256={digest.hexdigest()}"
    told = json.loads(body)
    assert told["event"] == "sync.failed"
    assert told["link"] == f"https://hub.example/api/alerts/{alert_id}"
    assert told["command"] == "entrepot retry 1"
    [mail] = box.mails
    assert "Subject: [entrepot] Main shop: sync stopped" in mail
    assert f"https://hub.example/api/alerts/{alert_id}" in mail
    feed = await desk.room.rows("select entity, record_id, action from changes")
    assert feed == [("alerts", alert_id, "created")]
    assert [status for _, status, _ in await desk.messages()] == ["sent"] * 3


async def test_what_happens_again_is_counted_and_told_once(desk: Desk) -> None:
    first = await desk.alarm()
    assert first is not None
    raised = await asyncio.gather(*(desk.alarm() for _ in range(8)))
    assert raised == [None] * 8
    assert await desk.room.rows("select id, count from alerts") == [(first, 9)]
    assert len(await desk.messages()) == 1
    async with desk.room.database.tenant(desk.room.tenant_id) as connection:
        assert await resolve_alerts(connection, kind=AlertKind.SYNC_FAILED, subject="store/1") == 1
    assert await desk.alarm() not in (None, first)


async def test_a_channel_that_fails_goes_down_the_ladder_alone(desk: Desk) -> None:
    async with web_server() as posts, mail_server() as box:
        posts.status, box.refuses = 500, True
        await desk.channels([webhook(posts.url), smtp(box.port)])
        await desk.alarm()
        await desk.turn()
        failed = [(False, "pending", 1), (False, "pending", 1)]
        assert await desk.messages() == [(True, "sent", 1), *failed]
        assert await desk.turn(now=NOW + timedelta(seconds=299)) == 0
        posts.status = 200
        assert await desk.turn(now=NOW + timedelta(seconds=300)) == 2
        assert [row[1] for row in await desk.messages()] == ["sent", "sent", "pending"]
        assert await desk.turn(now=NOW + timedelta(seconds=1200)) == 1
    assert await desk.messages() == [(True, "sent", 1), (False, "sent", 2), (False, "failed", 3)]
    errors = await desk.room.rows("select last_error from alert_messages where status = 'failed'")
    assert errors == [("127.0.0.1 refused the mail with code 554",)]
    assert len(await desk.room.rows("select from alerts")) == 1


async def test_a_channel_that_cannot_be_told_is_that_messages_trouble(desk: Desk) -> None:
    async with web_server() as posts:
        gone = webhook(posts.url)
    async with mail_server() as box:
        box.takes_logins = True
        nowhere = smtp(25, host=f"{'long' * 20}.example")
        login = {"username": "\u00fcber", "password": "geheim"}
        await desk.channels([nowhere, smtp(box.port, **login), gone])
        await desk.alarm()
        assert await desk.turn() == 4
    errors = await desk.room.rows(
        "select last_error from alert_messages where channel_id is not null order by id"
    )
    assert errors == [
        (f"the mail server {nowhere['host']} is not known",),
        ("the mail could not be handed to 127.0.0.1 (UnicodeEncodeError)",),
        (f"POST {gone['url']}: no connection. Is the server up, and the URL right?",),
    ]


async def test_addresses_of_our_own_network_are_not_called(desk: Desk) -> None:
    guarded = AlertTake(
        desk.room.database,
        BOX,
        StoreSession.open(),
        Mailer(),
        public_url=None,
    )
    async with web_server() as posts, mail_server() as box:
        await desk.channels([webhook(posts.url), smtp(box.port)])
        await desk.alarm()
        await Desk(desk.room, guarded).turn()
        assert (posts.taken, box.mails) == ([], [])
    errors = await desk.room.rows(
        "select last_error from alert_messages where channel_id is not null"
    )
    assert all("private address" in error for (error,) in errors)


async def test_a_turn_that_was_lost_tells_nobody(desk: Desk) -> None:
    class LostTurn(Turn):
        async def confirm(self, connection: AsyncConnection) -> None:
            raise TurnLostError(connection)

    async with web_server() as posts:
        await desk.channels([webhook(posts.url)])
        await desk.alarm()
        ref = LaneRef(tenant_id=desk.room.tenant_id, kind=LaneKind.ALERT, key=1)
        with pytest.raises(TurnLostError):
            await desk.take(LostTurn(ref, 1, NOW, (0,)))
    assert posts.taken == []
    assert [row[1] for row in await desk.messages()] == ["pending", "pending"]

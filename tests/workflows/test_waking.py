"""Waking lanes, and finding those that were woken in vain."""

import asyncio
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from temporalio.client import (
    Client,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from db.alerts import AlertKind
from db.lanes import wake_lane
from domain.errors import StoreUnreachableError
from domain.lanes import LaneKind
from runtime.lane_sweeper import LaneSweeper
from tests.workflows.lanes import LADDER_S, Street
from workflows.waking import BREAK_S, LaneWaker

pytestmark = pytest.mark.asyncio(loop_scope="module")

DOWN = StoreUnreachableError("the shop does not answer")


async def wake(waker: LaneWaker, street: Street) -> None:
    await waker.wake(street.room.tenant_id, LaneKind.PUSH, street.room.store_id)


async def test_the_sweeper_finds_what_was_woken_in_vain(
    street: Street, waker: LaneWaker, temporal_client: Client
) -> None:
    await street.add(1)
    async with street.room.database.tenant(street.room.tenant_id) as connection:
        assert await wake_lane(connection, street.lane)
    await wake(waker, street)
    with pytest.raises(RPCError):
        await temporal_client.get_workflow_handle(street.workflow_id).describe()
    sweeper = LaneSweeper(street.room.database, waker)
    async with street.working(temporal_client):
        assert not any(one.lane == street.lane for one in await sweeper.sweep(now()) or ())
        await sweeper.sweep(now() + timedelta(seconds=6))
        assert await street.emptied()
    late = await sweeper.sweep(now() + timedelta(minutes=20))
    assert late is not None
    assert not any(one.lane == street.lane for one in late)


async def test_a_lane_that_stays_late_raises_one_alert_after_five_minutes(
    street: Street, waker: LaneWaker, temporal_client: Client
) -> None:
    await street.add(1)
    sweeper = LaneSweeper(street.room.database, waker)
    began = now() + timedelta(hours=1)
    for minutes in (0, 4):
        await sweeper.sweep(began + timedelta(minutes=minutes))
        assert await street.alerts() == [], "it was late for an hour, and the hub only came up now"
    for minutes in (5, 6, 30):
        await sweeper.sweep(began + timedelta(minutes=minutes))
    alerts = {one.subject: one for one in await street.alerts()}
    alert = alerts.pop(street.lane.name)
    assert (alert.kind, alert.count) == (AlertKind.LANE_OVERDUE, 1)
    assert alerts.keys() <= {f"alert/{street.room.tenant_id}"}
    async with street.working(temporal_client):
        assert await street.emptied()
        await temporal_client.get_workflow_handle(street.workflow_id).result()
    assert street.lane.name not in {one.subject for one in await street.alerts()}


async def test_one_sweeper_at_a_time(street: Street, waker: LaneWaker) -> None:
    sweepers = [LaneSweeper(street.room.database, waker) for _ in range(5)]
    async with street.room.database.lookup() as connection:
        await connection.execute(text("select pg_advisory_xact_lock(7264003)"))
        assert await asyncio.gather(*(one.sweep(now()) for one in sweepers)) == [None] * 5
    assert await sweepers[0].sweep(now()) is not None


async def test_without_temporal_a_wake_takes_a_second_once_and_the_row_is_found_later(
    street: Street, waker: LaneWaker, temporal_client: Client
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        dead = await Client.connect(address, lazy=True, data_converter=pydantic_data_converter)
        helpless = LaneWaker(street.room.database, dead)
        await street.add(1)
        began = time.monotonic()
        await wake(helpless, street)
        first = time.monotonic() - began
        for _ in range(200):
            await wake(helpless, street)
        rest = time.monotonic() - began - first
    assert first < 1.5
    assert rest < 0.1
    assert BREAK_S == 5
    async with street.working(temporal_client):
        await LaneSweeper(street.room.database, waker).sweep(now() + timedelta(seconds=6))
        assert await street.emptied()


async def test_a_waker_tries_again_after_its_break(
    street: Street, temporal_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.waking.BREAK_S", 0.2)
    waker = LaneWaker(street.room.database, temporal_client, ladder_s=LADDER_S)
    calls = 0

    async def fail(*_: Any, **__: Any) -> None:
        nonlocal calls
        calls += 1
        raise RPCError("down", 14, b"")  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(waker, "_signal", fail)
        assert not await waker.insist(street.lane, "woocommerce")
        assert not await waker.insist(street.lane, "woocommerce")
        assert calls == 1
    await asyncio.sleep(0.25)
    assert await waker.insist(street.lane, "woocommerce")
    await temporal_client.get_workflow_handle(street.workflow_id).terminate()


async def test_many_wakes_at_once_look_at_the_lane_twice_at_most(
    street: Street, temporal_client: Client
) -> None:
    waker = LaneWaker(street.room.database, temporal_client, ladder_s=LADDER_S)
    told = 0

    async def count(*_: Any, **__: Any) -> None:
        nonlocal told
        told += 1

    waker._signal = count  # type: ignore[method-assign]
    await asyncio.gather(*(wake(waker, street) for _ in range(300)))
    assert told == 1


def now() -> datetime:
    return datetime.now(UTC)

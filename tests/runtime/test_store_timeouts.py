"""How patient the hub is with stores: from the environment to the wire."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from domain.errors import StoreUnreachableError
from providers._kit.http import StoreSession
from runtime.hub import Hub
from runtime.settings import Settings, SettingsError, load_settings
from runtime.store_request_settings import MOST_CONNECT_S, MOST_READ_S
from workflows import policies

CONNECT, READ = "ENTREPOT_STORE_CONNECT_TIMEOUT_S", "ENTREPOT_STORE_READ_TIMEOUT_S"
LATE_S = 1.1


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTREPOT_DATABASE_URL", "postgres://app@db/entrepot")
    monkeypatch.setenv("ENTREPOT_ENCRYPTION_KEY", "ab" * 32)
    monkeypatch.setenv("ENTREPOT_ALLOW_PRIVATE_ADDRESSES", "true")


def told(monkeypatch: pytest.MonkeyPatch, **values: float) -> Settings:
    for name, value in values.items():
        monkeypatch.setenv(name, str(value))
    return load_settings(None)


@asynccontextmanager
async def late_store() -> AsyncIterator[str]:
    """Answers a second late."""
    answering = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answering.add(asyncio.create_task(answer(reader, writer)))

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await asyncio.sleep(LATE_S)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]")
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    try:
        yield f"http://{host}:{port}/"
    finally:
        server.close()
        await asyncio.gather(*answering)


async def outcome(hub: Hub, url: str) -> list[bytes | None]:
    """What each of the hub's sessions gets; None for no answer in time."""

    async def ask(session: StoreSession) -> bytes | None:
        try:
            return (await session.request("GET", url)).body
        except StoreUnreachableError as error:
            return None if error.is_timeout else str(error).encode()

    found = await asyncio.gather(ask(hub.session), ask(hub.lane_session))
    await hub.close()
    return list(found)


async def test_an_answer_later_than_the_setting_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    hasty, patient = (
        Hub.build(told(monkeypatch, **{READ: seconds}), pool_size=1) for seconds in (1, 30)
    )
    async with late_store() as url:
        none, answers = await asyncio.gather(outcome(hasty, url), outcome(patient, url))
    assert (none, answers) == ([None, None], [b"[]", b"[]"])


def test_the_whole_request_may_take_what_its_parts_may(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = load_settings(None).store_limits()
    assert (usual.connect_timeout_s, usual.read_timeout_s, usual.deadline_s) == (10, 30, 60)
    longer = told(monkeypatch, **{CONNECT: 20, READ: 100}).store_limits()
    assert (longer.connect_timeout_s, longer.read_timeout_s, longer.deadline_s) == (20, 100, 180)
    lanes = told(monkeypatch, **{CONNECT: 2, READ: 6}).store_limits(at_most_s=25)
    assert lanes.deadline_s == 12


def test_no_setting_outlasts_an_activity(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request ends before Temporal gives its activity to somebody else. `PROBE` and `LEAVE` end
    sooner than many a request: a person waits, and both may be asked again."""
    most = told(monkeypatch, **{CONNECT: MOST_CONNECT_S, READ: MOST_READ_S})
    deadline_s = most.store_limits().deadline_s
    for policy in (policies.READ, policies.READ_MANY):
        whole = policy["start_to_close_timeout"]
        assert whole is not None
        assert 2 * deadline_s < whole.total_seconds()
    lane_s = most.store_limits(at_most_s=policies.LANE_REQUEST_S).deadline_s
    heartbeat = policies.DRAIN["heartbeat_timeout"]
    assert heartbeat is not None
    assert lane_s < heartbeat.total_seconds()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (CONNECT, MOST_CONNECT_S + 1),
        (READ, MOST_READ_S + 1),
        (CONNECT, 0),
        (READ, 0.5),
        (READ, "nan"),
        (READ, "inf"),
    ],
)
def test_what_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setenv(name, str(value))
    with pytest.raises(SettingsError, match=name):
        load_settings(None)

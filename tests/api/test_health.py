import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.remembered import Remembered
from db.session import Database
from tests.api.hub import Caller, Hub, connect


@pytest.fixture(autouse=True)
async def _worker(hub: Hub) -> None:
    """Somebody works off what comes in."""
    await hub.show_process()


async def health(caller: Caller, **params: Any) -> tuple[int, dict[str, Any]]:
    answer = await caller.get("/api/health", params=params)
    return answer.status_code, answer.json()


async def test_without_a_key_only_the_whole_is_told(hub: Hub) -> None:
    answer = await hub.http.get("/api/health")
    body = answer.json()
    assert (answer.status_code, body) == (
        200,
        {
            "status": "healthy",
            "timestamp": body["timestamp"],
            "version": "9.9.9",
            "environment": "test",
            "uptime": body["uptime"],
            "services": None,
        },
    )
    assert body["uptime"] in range(60)


async def test_details_need_a_key(hub: Hub) -> None:
    answer = await hub.http.get("/api/health?detailed=true")
    assert (answer.status_code, answer.headers["content-type"]) == (
        401,
        "application/problem+json",
    )


async def test_a_wrong_key_is_refused(hub: Hub) -> None:
    answer = await hub.http.get("/api/health", headers={"X-API-Key": "ek_x"})
    assert answer.status_code == 401


async def test_details_name_each_part(hub: Hub, caller: Caller) -> None:
    await connect(caller)
    status, body = await health(caller, detailed="true", organizationId=caller.tenant.public_id)
    assert (status, body["status"], body["services"]) == (
        200,
        "healthy",
        {
            "database": "healthy",
            "temporal": "healthy",
            "migrations": "healthy",
            "workers": "healthy",
            "reports": None,
            "integrations": {"testshop": "healthy"},
        },
    )


async def test_another_organization_is_not_found(hub: Hub, caller: Caller) -> None:
    other = await hub.new_tenant()
    status, body = await health(caller, detailed="true", organizationId=other.public_id)
    assert (status, body["type"]) == (404, "urn:entrepot:problem:not-found")


async def test_integrations_follow_the_tenants_stores(hub: Hub, caller: Caller) -> None:
    one = await connect(caller, "one")
    await connect(caller, "two")
    other = await hub.new_caller()

    async def integrations(of: Caller) -> Any:
        return (await health(of, detailed="true"))[1]["services"]["integrations"]

    await hub.execute(
        caller.tenant, "update stores set sync_status = 'failed' where id = :id", id=one
    )
    assert await integrations(caller) == {"testshop": "degraded"}
    await hub.execute(caller.tenant, "update stores set sync_status = 'failed'")
    assert await integrations(caller) == {"testshop": "unhealthy"}
    assert (await health(caller))[1]["status"] == "healthy"
    assert await integrations(other) == {}


async def test_without_temporal_it_serves_what_it_can(hub: Hub, caller: Caller) -> None:
    hub.gateway.is_down = True
    status, body = await health(caller, detailed="true")
    assert (status, body["status"], body["services"]["temporal"]) == (
        200,
        "degraded",
        "unhealthy",
    )


async def test_without_a_database_it_cannot_serve(hub: Hub) -> None:
    gone = Database("postgresql://nobody@127.0.0.1:1/nothing", pool_size=1)
    app = create_app(replace(hub.services, database=gone))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://hub.internal"
    ) as http:
        answer = await http.get("/api/health")
    assert (answer.status_code, answer.json()["status"]) == (503, "unhealthy")


async def test_however_many_ask_it_is_found_out_once_a_second(
    hub: Hub, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock, asked = [100.0], 0

    async def is_healthy() -> bool:
        nonlocal asked
        asked += 1
        return asked == 1

    monkeypatch.setattr(hub.gateway, "is_healthy", is_healthy)
    app = create_app(replace(hub.services, health=Remembered(lambda: clock[0])))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://hub.internal"
    ) as http:

        async def state(path: str = "/api/health") -> str:
            return str((await http.get(path, headers=headers)).json()["status"])

        headers: dict[str, str] = {}
        assert set(await asyncio.gather(*(state() for _ in range(20)))) == {"healthy"}
        headers = caller.headers
        clock[0] += 0.99
        assert await state("/api/health?detailed=true") == "healthy"
        assert asked == 1
        clock[0] += 0.01
        assert [await state(), await state()] == ["degraded"] * 2
        assert asked == 2


async def test_an_old_schema_is_told(
    hub: Hub, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routers.health.newest_revision", lambda: "9999")
    _, body = await health(caller, detailed="true")
    assert (body["status"], body["services"]["migrations"]) == ("degraded", "degraded")

"""A running API with what a test may want to do behind its back."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
from sqlalchemy import text

from api.services import ApiServices
from db.apply import apply
from db.crypto import Sealed, store_context
from db.keys import NewKey, create_key
from db.processes import ProcessKind, ProcessRow, report_process
from db.session import Database
from db.staging import Origin
from db.store_checks import find_check
from db.tenants import Tenant, create_tenant
from domain.entities import Entity
from domain.pages import Page, Pulled
from domain.records import Record
from tests.api.fake_gateway import FACTS, FakeGateway, FakeWaker
from workflows.models import CheckStoreInput, CheckStoreResult
from workflows.task_queues import TaskQueue

KEY = "ck_" + "0123456789abcdef" * 2
SECRET = "cs_" + "fedcba9876543210" * 2
QUEUES = tuple(queue.value for queue in TaskQueue)


@dataclass
class Caller:
    """A tenant's client: every request carries its key."""

    tenant: Tenant
    http: httpx.AsyncClient
    headers: dict[str, str] = field(repr=False)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.send("GET", path, **options)

    async def post(self, path: str, **options: Any) -> httpx.Response:
        return await self.send("POST", path, **options)

    async def patch(self, path: str, **options: Any) -> httpx.Response:
        return await self.send("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        return await self.send("DELETE", path, **options)

    async def send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> httpx.Response:
        sent = {**self.headers, **(headers or {})}
        return await self.http.request(method, path, headers=sent, **options)


@dataclass
class Hub:
    """The API over a database of its own."""

    services: ApiServices
    gateway: FakeGateway
    waker: FakeWaker
    http: httpx.AsyncClient
    owner: Database

    @property
    def database(self) -> Database:
        return self.services.database

    async def new_tenant(self) -> Tenant:
        async with self.owner.lookup() as connection:
            return await create_tenant(connection, f"Tenant {uuid4().hex}")

    async def new_caller(
        self, *, permissions: Sequence[str] = ("*",), tenant: Tenant | None = None
    ) -> Caller:
        tenant = tenant or await self.new_tenant()
        async with self.database.tenant(tenant.id) as connection:
            key, secret = await create_key(
                connection, tenant.id, NewKey(name="test", permissions=tuple(permissions))
            )
        return Caller(
            tenant, self.http, {"X-API-Key": key, "X-API-Secret": secret.get_secret_value()}
        )

    async def execute(self, tenant: Tenant, statement: str, **params: Any) -> list[Any]:
        """SQL as the application, within the tenant; the rows it returns, if any."""
        async with self.database.tenant(tenant.id) as connection:
            result = await connection.execute(text(statement), params)
            return [tuple(row) for row in result] if result.returns_rows else []

    async def show_process(self, kind: str = "worker", queues: Sequence[str] = QUEUES) -> str:
        """A process of the hub that was seen just now; its name."""
        process = ProcessRow(
            id=uuid4().hex,
            kind=ProcessKind(kind),
            queues=queues,
            started_at=datetime.now(UTC) - timedelta(hours=1),
            cpu_s=36.04,
            cpu_percent=12.34,
            memory_bytes=150_040_000,
            peak_memory_bytes=170_000_000,
            connections_in_use=2,
            connections_max=16,
        )
        async with self.database.lookup() as connection:
            await report_process(connection, process)
        return process.name

    async def take_in(
        self, tenant: Tenant, store_id: int, entity: Entity, *pulled: Pulled[Record]
    ) -> None:
        """Records from a store."""
        async with self.database.tenant(tenant.id) as connection:
            page = Page(records=pulled)
            await apply(connection, Origin(tenant.id, store_id), entity, page)


async def answer_at_its_address(services: ApiServices, check: CheckStoreInput) -> CheckStoreResult:
    """A shop that accepts everything, at the address that was entered."""
    async with services.database.tenant(check.tenant_id) as connection:
        kept = await find_check(connection, check.store_check_id)
    assert kept is not None
    form = json.loads(services.secrets.open(kept.sealed, context=store_context(kept.store_id)))
    return CheckStoreResult(facts={**FACTS, "store_url": form["storeUrl"]})


def store_body(code: str = "main", **changes: Any) -> dict[str, Any]:
    """A valid body for POST /api/stores; each code is a shop of its own."""
    return {
        "name": "Main shop",
        "code": code,
        "provider": "testshop",
        "config": {
            "storeUrl": f"https://{'' if code == 'main' else code + '.'}shop.example",
            "consumerKey": KEY,
            "consumerSecret": SECRET,
        },
        **changes,
    }


async def connect(caller: Caller, code: str = "main", **changes: Any) -> int:
    """Connect a store; its id."""
    answer = await caller.post("/api/stores", json=store_body(code, **changes))
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


async def stored_config(hub: Hub, caller: Caller, store_id: int) -> dict[str, Any]:
    ((data, iv, tag, key_id),) = await hub.execute(
        caller.tenant,
        "select encrypted_data, iv, tag, key_id from stores where id = :id",
        id=store_id,
    )
    plain = hub.services.secrets.open(
        Sealed(data, iv, tag, key_id), context=store_context(store_id)
    )
    return dict(json.loads(plain))

"""A whole hub: database, Temporal, worker and API as processes that a supervisor keeps up."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import psycopg
from psycopg.rows import TupleRow

from db.keys import NewKey, create_key
from db.session import Database
from db.tenants import create_tenant
from runtime.embedded.connection import Connection
from runtime.embedded.hub import EmbeddedHub, HubOptions
from runtime.embedded.supervisor import Service, Supervisor

LOOK_EVERY_S = 0.01


class Group(Supervisor):
    """A supervisor that tells which services it keeps up."""

    def __init__(self) -> None:
        super().__init__()
        self.services: dict[str, Service] = {}

    async def start(self, *services: Service) -> None:
        """Start services and remember them by name."""
        self.services |= {service.name: service for service in services}
        await super().start(*services)


@dataclass(frozen=True, slots=True)
class RunningHub:
    """A hub that serves, and what a test looks at it with."""

    data_dir: Path
    connection: Connection
    services: Mapping[str, Service]
    api: httpx.AsyncClient

    @property
    def superuser_url(self) -> str:
        """The database as its superuser, who sees every tenant."""
        return self.connection.database_url.replace("entrepot_app@", "postgres@")

    async def connect_store(self, code: str, form: Mapping[str, str]) -> int:
        """Connect a WooCommerce shop and start its first import; returns the store's id."""
        body = {
            "name": f"Shop {code}",
            "code": code,
            "provider": "woocommerce",
            "config": form,
            "sync": True,
        }
        answer = await self.api.post("/api/stores", json=body)
        assert answer.status_code == 201, answer.text
        assert answer.json()["workflowId"] is not None, answer.text
        store_id: int = answer.json()["id"]
        return store_id

    @asynccontextmanager
    async def another_tenant(self, name: str) -> AsyncIterator["RunningHub"]:
        """The same hub for a new tenant, with a key of its own."""
        owner = Database(self.superuser_url, pool_size=1)
        hub = Database(self.connection.database_url, pool_size=1)
        try:
            async with owner.lookup() as connection:
                tenant = await create_tenant(connection, name)
            async with hub.tenant(tenant.id) as connection:
                made = NewKey(name="test", permissions=("*",))
                key, secret = await create_key(connection, tenant.id, made)
        finally:
            await owner.close()
            await hub.close()
        headers = {"X-API-Key": key, "X-API-Secret": secret.get_secret_value()}
        async with httpx.AsyncClient(
            base_url=self.connection.api_url, headers=headers, trust_env=False, timeout=60
        ) as api:
            yield replace(self, api=api)

    async def query(self, statement: str, **params: Any) -> list[TupleRow] | None:
        """The rows of a statement, or None while the database is away."""
        try:
            async with await psycopg.AsyncConnection.connect(self.superuser_url) as connection:
                found = await connection.execute(statement, params)
                return await found.fetchall()
        except psycopg.OperationalError:
            return None

    async def run_of(self, store_id: int) -> tuple[str, str | None] | None:
        """(status, error) of the store's newest run; None while it cannot be told."""
        rows = await self.query(
            "select status, error from sync_runs where store_id = %(store)s"
            " order by id desc limit 1",
            store=store_id,
        )
        return (rows[0][0], rows[0][1]) if rows else None

    async def end_of(self, store_id: int, *, within_s: float) -> tuple[str, str | None]:
        """(status, error) of the store's newest run, once it is over."""
        deadline = time.monotonic() + within_s
        while True:
            run = await self.run_of(store_id)
            if run is not None and run[0] != "in_progress":
                return run
            assert time.monotonic() < deadline, f"not over after {within_s} s: {run}"
            await asyncio.sleep(10 * LOOK_EVERY_S)


@asynccontextmanager
async def running_hub(
    data_dir: Path, *, port: int = 0, **settings: str
) -> AsyncIterator[RunningHub]:
    """A hub in `data_dir`, made when missing, with these settings (by field) over the defaults."""
    given = {"allow_private_addresses": "true", "retry_ladder_s": "0,1,1,1,1", **settings}
    hub = EmbeddedHub(HubOptions(data_dir=data_dir, port=port, temporal_ui_port=0, settings=given))
    hub.take()
    try:
        async with Group() as group:
            connection = await hub.start(group)
            headers = {"X-API-Key": connection.api_key, "X-API-Secret": connection.api_secret}
            async with httpx.AsyncClient(
                base_url=connection.api_url, headers=headers, trust_env=False, timeout=60
            ) as api:
                yield RunningHub(hub.data_dir, connection, group.services, api)
    finally:
        hub.release()

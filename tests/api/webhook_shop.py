"""A connected store, as seen by the shop that sends it webhooks."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from domain.lanes import LaneKind
from tests.api.hub import Caller, Hub, connect
from tests.api.testshop_webhooks import SIGNATURE, TOPIC, sign

SECRET = "whsec_planted_93ab"
BODY = b'{"id": 7, "total": "12.50"}'


@dataclass(frozen=True)
class Shop:
    """A connected store, as seen by the shop that sends."""

    hub: Hub
    caller: Caller
    store_id: int
    code: str

    @property
    def path(self) -> str:
        return f"/api/stores/webhooks/{self.code}"

    async def send(
        self,
        body: bytes = BODY,
        *,
        path: str | None = None,
        method: str = "POST",
        secret: str = SECRET,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        signed = {SIGNATURE: sign(secret, body), TOPIC: "order.created", **(headers or {})}
        return await self.hub.http.request(method, path or self.path, content=body, headers=signed)

    async def woken(self) -> list[tuple[int, LaneKind, int]]:
        """What was woken, once something was."""
        async with asyncio.timeout(5):
            while True:
                if woken := self.hub.waker.woken:
                    return woken
                await asyncio.sleep(0.01)

    async def events(self, **params: Any) -> list[dict[str, Any]]:
        path = f"/api/stores/{self.store_id}/webhook-events"
        answer = await self.caller.get(path, params=params)
        assert answer.status_code == 200, answer.text
        events: list[dict[str, Any]] = answer.json()["data"]
        return events

    async def counters(self) -> dict[str, int]:
        answer = await self.caller.get(f"/api/stores/{self.store_id}/webhook-events/counters")
        counters: dict[str, int] = answer.json()["counters"]
        return counters

    async def set_settings(self, settings: str) -> None:
        await self.hub.execute(
            self.caller.tenant,
            "update stores set settings = cast(:settings as jsonb) where id = :store",
            settings=settings,
            store=self.store_id,
        )


async def new_shop(hub: Hub, caller: Caller, code: str = "main", **config: str) -> Shop:
    store_id = await connect(
        caller,
        code,
        config={
            "storeUrl": f"https://{'' if code == 'main' else code + '.'}shop.example",
            "consumerKey": "ck_" + "0" * 32,
            "consumerSecret": "cs_" + "0" * 32,
            "webhookSecret": SECRET,
            **config,
        },
    )
    found = await hub.execute(
        caller.tenant, "select webhook_code from stores where id = :store", store=store_id
    )
    return Shop(hub, caller, store_id, found[0][0])

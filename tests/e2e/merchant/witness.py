"""A merchant's tool at work, and what it saw: answers, statuses, rows, the shop's own truth."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

import httpx

from tests.e2e.merchant.curls import Curl
from tests.e2e.running import RunningHub
from tests.e2e.shop import Shop

SYNC: Final = "/api/woocommerce-sync"
SECRET: Final = "whs-document-71f0"
_PATIENCE_S: Final = 30.0
_LOOK_EVERY_S: Final = 0.1
_OVER: Final = ("success", "failed", "cancelled")
_WOO: Final = "/wp-json/wc/v3/"


@dataclass
class Seen:
    """Evidence, by the name of the step that gathered it."""

    answers: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    headers: dict[str, httpx.Headers] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    asked: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass
class Witness:
    """Uses a hub for a shop and keeps what came of it. `token` is a person's, once logged in."""

    hub: RunningHub
    shop: Shop
    anybody: httpx.AsyncClient
    seen: Seen = field(default_factory=Seen)
    token: str = ""
    store_id: int = 0

    @property
    def store_path(self) -> str:
        """The default store's."""
        return f"/api/stores/{self.store_id}"

    async def call(self, step: str, method: str, path: str, **options: Any) -> Any:
        """One request as the person who logged in; keeps and returns the answer's JSON."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        return self._keep(
            step, await self.anybody.request(method, path, headers=headers, **options)
        )

    async def ask(self, step: str, method: str, path: str, **options: Any) -> Any:
        """The same, and it has to succeed."""
        answer = await self.call(step, method, path, **options)
        assert self.seen.codes[step] < 400, (step, answer)
        return answer

    async def run_curl(self, step: str, command: str) -> Any:
        """What a command of the document does, with nothing added."""
        curl = Curl.read(command, token=self.token)
        headers, content = dict(curl.headers), curl.content
        return self._keep(
            step,
            await self.anybody.request(curl.method, curl.path, headers=headers, content=content),
        )

    async def action(self, step: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask for an action and wait for its end; keeps the run, and what the shop was asked."""
        await self.shop.control.delete("log")
        started = await self.ask(step, "POST", f"{SYNC}/sync/{path}", json=body)
        return await self.finished(step, started["statusUrl"])

    async def finished(self, step: str, status_url: str) -> Any:
        """The end of a run; keeps every different thing it told of itself on the way."""
        told: list[Any] = []

        async def look() -> Any:
            shown = (await self.hub.api.get(status_url)).json()
            if not told or told[-1] != shown:
                told.append(shown)
            return shown

        run = await self.until(f"{step} run", look, lambda one: one["status"] in _OVER)
        self.seen.answers[f"{step} told"] = told
        self.seen.asked[step] = await self.shop_log()
        assert run["status"] == "success", run
        return run

    async def shop_log(self) -> list[dict[str, Any]]:
        """The requests to the shop's API since its log was emptied."""
        entries = (await self.shop.control.get("log")).raise_for_status().json()
        return [
            {
                "method": one["method"],
                "route": one["path"].removeprefix(_WOO),
                "query": dict(parse_qsl(one["query"])),
                "status": one["status"],
                "at": one["started"],
            }
            for one in entries
            if one["path"].startswith(_WOO)
        ]

    async def until(
        self,
        step: str,
        look: Callable[[], Awaitable[Any]],
        is_so: Callable[[Any], object] = lambda found: found is not None,
    ) -> Any:
        """Look until it is so; keeps what was found."""
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            found = await look()
            if found is not None and is_so(found):
                self.seen.answers[step] = found
                return found
            assert time.monotonic() < deadline, (step, found)
            await asyncio.sleep(_LOOK_EVERY_S)

    async def get(self, path: str, **params: Any) -> Any:
        """What the hub shows, for looking on."""
        answer = await self.hub.api.get(path, params=params)
        return answer.raise_for_status().json()

    async def truth(self, entity: str, record_id: int) -> Any:
        """A record as it is in the shop; None where there is none."""
        answer = await self.shop.control.get("truth", params={"entity": entity})
        records = map(json.loads, answer.raise_for_status().text.splitlines())
        return next((one for one in records if one["id"] == record_id), None)

    async def hub_record(self, entity: str, external_id: int) -> Any:
        """The hub's record of a shop's id; None where there is none."""
        cursor: str | None = None
        while True:
            more = {} if cursor is None else {"cursor": cursor}
            page = await self.get(f"/api/{entity}", limit=200, **more)
            for one in page["data"]:
                own = {"storeId": self.store_id, "externalId": str(external_id)}
                if own in one["externalReferences"]:
                    return one
            cursor = page["nextCursor"]
            if cursor is None:
                return None

    async def deliver(
        self, step: str, topic: str, body: Mapping[str, Any], **changed: str | None
    ) -> int:
        """Send a signed webhook to the document's address for its topic, as the shop would.

        `changed` are headers that are others, by name with underscores; None leaves one out.
        """
        raw = json.dumps(body).encode()
        digest = hmac.new(SECRET.encode(), raw, hashlib.sha256).digest()
        resource, _, event = topic.partition(".")
        headers: dict[str, str | None] = {
            "content-type": "application/json",
            "x-wc-webhook-source": f"{self.shop.url}/",
            "x-wc-webhook-topic": topic,
            "x-wc-webhook-resource": resource,
            "x-wc-webhook-event": event,
            "x-wc-webhook-signature": base64.b64encode(digest).decode(),
            "x-wc-webhook-id": "1",
            "x-wc-webhook-delivery-id": step,
        }
        headers |= {name.replace("_", "-"): value for name, value in changed.items()}
        sent = {name: value for name, value in headers.items() if value is not None}
        path = f"{SYNC}/webhook/{topic}"
        self._keep(step, await self.anybody.post(path, content=raw, headers=sent))
        return self.seen.codes[step]

    async def events(self, **params: Any) -> Any:
        """The store's webhooks, the newest first."""
        return (await self.get(f"{self.store_path}/webhook-events", limit=200, **params))["data"]

    def _keep(self, step: str, answer: httpx.Response) -> Any:
        self.seen.codes[step] = answer.status_code
        self.seen.headers[step] = answer.headers
        self.seen.texts[step] = answer.text
        is_json = "json" in answer.headers.get("content-type", "") and answer.content
        is_lines = "ndjson" in answer.headers.get("content-type", "")
        self.seen.answers[step] = answer.json() if is_json and not is_lines else None
        return self.seen.answers[step]

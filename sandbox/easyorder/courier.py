"""Sending webhooks: one POST for each event, with the webhook's secret in a header, no retry.

Source: EasyOrders API docs, "webhooks". Retries and time-outs are not documented.
"""

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

import httpx

from sandbox.easyorder.seed import secret_of
from sandbox.easyorder.shop import Store

KINDS = ("orders", "order_status", "all")
TIMEOUT_S = 10
_KEPT = 5_000


@dataclass(slots=True)
class Webhook:
    """A webhook as the dashboard has it."""

    id: int
    kind: str
    url: str
    secret: str = field(repr=False)

    def wants(self, what: str) -> bool:
        """Whether an event goes there."""
        return self.kind in ("all", what)


@dataclass(slots=True)
class Courier:
    """Queues events and sends them in order."""

    store: Store
    # Tests put their own in; None is the network.
    transport: httpx.AsyncBaseTransport | None = None
    webhooks: list[Webhook] = field(default_factory=list)
    sent: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    _waiting: deque[tuple[Webhook, dict[str, Any]]] = field(default_factory=deque)
    _task: asyncio.Task[None] | None = None
    _last_id: int = 122

    def __post_init__(self) -> None:
        self.store.listeners.append(self.notice)

    def add(self, kind: str, url: str) -> Webhook:
        """What a person makes in the dashboard. Raises ValueError."""
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}")
        self._last_id += 1
        made = Webhook(self._last_id, kind, url, secret_of(self.store.random))
        self.webhooks.append(made)
        return made

    def remove(self, url: str) -> int:
        """Delete by URL; how many there were."""
        kept = [one for one in self.webhooks if one.url != url]
        removed = len(self.webhooks) - len(kept)
        self.webhooks = kept
        return removed

    def notice(self, what: str, payload: dict[str, Any]) -> None:
        """Something happened in the store."""
        self._waiting.extend((one, payload) for one in self.webhooks if one.wants(what))
        self.wake()

    def wake(self) -> None:
        """Send in the background, where there is a loop to do it in."""
        if not self._waiting or (self._task is not None and not self._task.done()):
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        self._task = loop.create_task(self._run())

    async def drained(self) -> None:
        """Wait until nothing is waiting."""
        self.wake()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        async with httpx.AsyncClient(
            timeout=TIMEOUT_S, trust_env=False, transport=self.transport
        ) as client:
            while self._waiting:
                webhook, payload = self._waiting.popleft()
                await self._send(client, webhook, payload)

    async def _send(
        self, client: httpx.AsyncClient, webhook: Webhook, payload: dict[str, Any]
    ) -> None:
        body = json.dumps(payload, ensure_ascii=False)
        headers = {"Content-Type": "application/json", "secret": webhook.secret}
        status, problem = 0, ""
        try:
            answer = await client.post(webhook.url, content=body.encode(), headers=headers)
            status = answer.status_code
        except httpx.HTTPError as error:
            problem = type(error).__name__
        told = {"webhook_id": webhook.id, "kind": webhook.kind, "url": webhook.url, "body": body}
        self.sent.append({**told, "status": status, "error": problem})

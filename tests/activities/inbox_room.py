"""A store's inbox, and the shop whose webhooks are in it."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.inbox import InboxTake
from activities.lanes import LaneRef, Turn, TurnLostError
from activities.stores import StoreOpener
from db.tables.lanes import WEBHOOK_EVENTS
from domain.deliveries import Delivery
from domain.lanes import LaneKind
from tests.workflows.scene import Scene

LADDER_S = (0, 300, 900)


@dataclass
class Wakes:
    """Which lanes were to be woken."""

    woken: list[tuple[LaneKind, int]] = field(default_factory=list)

    async def wake(self, tenant_id: int, kind: LaneKind, key: int) -> None:
        del tenant_id
        self.woken.append((kind, key))


@dataclass(frozen=True, slots=True)
class HeldTurn(Turn):
    """A turn that is ours until it is said to be lost."""

    is_lost: bool = False

    async def confirm(self, connection: AsyncConnection) -> None:
        del connection
        if self.is_lost:
            raise TurnLostError


@dataclass
class Inbox:
    """Webhooks come in by `deliver` as the ingress keeps them, and are worked off by `take`."""

    scene: Scene
    wakes: Wakes = field(default_factory=Wakes)

    def __post_init__(self) -> None:
        hub, lane = self.scene.hub, self.scene
        opener = StoreOpener(hub.database, hub.box, hub.registry, hub.session)
        self._take = InboxTake(hub.database, opener, self.wakes)
        self.turn = HeldTurn(
            LaneRef(tenant_id=lane.tenant_id, kind=LaneKind.INBOX, key=lane.store_id),
            1,
            datetime.now(UTC),
            LADDER_S,
        )
        # A shop whose clock is off by more than 15 minutes accepts no signed request.
        self._clock = time.time() - 600
        self.scene.shop.shop.clock = lambda: self._clock

    def pass_time(self, seconds: int = 60) -> None:
        """On the shop's clock, which its modification dates are of."""
        self._clock += seconds

    async def deliver(self, topic: str, content: bytes | Mapping[str, Any]) -> int:
        """Keep a delivery; its id."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        webhooks = self.scene.hub.registry.get("woocommerce").webhooks
        assert webhooks is not None
        notice = webhooks.describe(Delivery("generic", {"x-wc-webhook-topic": topic}, body))
        async with self.scene.hub.database.tenant(self.scene.tenant_id) as connection:
            kept = await connection.execute(
                WEBHOOK_EVENTS.insert()
                .values(
                    tenant_id=self.scene.tenant_id,
                    store_id=self.scene.store_id,
                    event_type=notice.event_type,
                    topic=notice.topic,
                    entity=notice.entity,
                    external_id=notice.external_id,
                    route="generic",
                    headers=dict(notice.kept_headers),
                    body=body,
                )
                .returning(WEBHOOK_EVENTS.c.id)
            )
            return int(kept.scalar_one())

    async def take(self, *, later_s: float = 0, is_lost: bool = False) -> int:
        """Work off one batch, `later_s` seconds from the beginning."""
        now = self.turn.now + timedelta(seconds=later_s)
        return await self._take(replace(self.turn, now=now, is_lost=is_lost))

    async def results(self, *columns: str) -> list[tuple[Any, ...]]:
        """Of each event in order, its status and outcome, or the columns that are named."""
        names = ", ".join(columns or ("status", "outcome"))
        return await self.scene.rows(
            f"select {names} from webhook_events where store_id = :store order by id"
        )

    async def counters(self) -> dict[str, int]:
        found = await self.scene.rows(
            "select name, count from webhook_counters where store_id = :store"
        )
        return {row[0]: row[1] for row in found}

    async def logs(self) -> list[tuple[Any, ...]]:
        return await self.scene.rows(
            "select action, status, details::jsonb - 'direction' from store_sync_logs"
            " where store_id = :store order by id"
        )

    # What the shop has, and says.

    def order(self, **changes: Any) -> dict[str, Any]:
        """A new order of the shop, as a webhook tells it."""
        data = {
            "billing": {"email": "ann@example.test", "first_name": "Ann"},
            "line_items": [{"product_id": self.product_id(), "quantity": 1}],
            **changes,
        }
        row = self.scene.shop.shop.create("orders", data)
        return self.told("orders", row.id)

    def product_id(self) -> int:
        """The id of a product that is bought as it is."""
        table = self.scene.shop.shop.tables["products"]
        for record_id in table.ids():
            document = table.document(table.rows[record_id])
            if document["type"] == "simple" and document["status"] == "publish":
                return record_id
        raise AssertionError("the shop sells nothing")

    def edit(self, name: str, record_id: int, **changes: Any) -> dict[str, Any]:
        """Change a record a minute later; what a webhook tells of it."""
        self.pass_time()
        self.scene.shop.shop.edit(name, record_id, changes)
        return self.told(name, record_id)

    def told(self, name: str, record_id: int) -> dict[str, Any]:
        """A record as the shop has it now."""
        table = self.scene.shop.shop.tables[name]
        body: dict[str, Any] = json.loads(table.body(table.rows[record_id]))
        return body

    async def status(self, order_id: int) -> list[tuple[Any, ...]]:
        """The order in the hub: its status and the note, and whether its link is dead."""
        return await self.scene.rows(
            "select o.status, o.customer_note, l.deleted_at is not null"
            " from links l join orders o on o.id = l.record_id and o.tenant_id = l.tenant_id"
            " where l.store_id = :store and l.entity = 'orders' and l.external_id = :key",
            key=str(order_id),
        )

"""A storm: edits on all sides at once, deliveries gone wrong, and processes killed."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.e2e.kills import kill_service
from tests.e2e.storm_expected import ALL, FIRST, HUB, SECOND, Expected, Sale
from tests.e2e.two_way import Connected, World

TIMES = (1, 2, 15)
FORGERIES = ("signature", "body", "unsigned")

_HUB_WORD = {"on-hold": "on_hold"}
_MOVES = ("processing", "completed", "on-hold", "cancelled")
_RECORD_OF = """
select record_id from links
where store_id = %(store)s and entity = 'orders' and external_id = %(key)s and deleted_at is null
"""


@dataclass
class Storm:
    """What blows over a world; `expected` says what has to be left of it."""

    world: World
    random: Random
    expected: Expected = field(init=False)
    killed: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    _steps: int = 0
    _ids: dict[int, dict[str, int]] = field(default_factory=dict)
    _variants: dict[str, int] = field(default_factory=dict)

    async def begin(self) -> None:
        """Look at the world as it is before."""
        hub = await self.world.hub_products()
        self.expected = Expected(tuple(sorted(hub)))
        self._ids[HUB] = {sku: one["id"] for sku, one in hub.items()}
        self._variants = {sku: one["variants"][0]["id"] for sku, one in hub.items()}
        for side, store in self._shops():
            self._ids[side] = {sku: one["id"] for sku, one in (await store.for_sale()).items()}

    async def blow(self, steps: int, *, kills: int) -> None:
        """So many steps, on three sides at once, with so many kills among them and after them."""
        at = sorted(self.random.sample(range(steps + steps // 2), kills))
        sides = [Side(self, side, Random(self.random.random())) for side in (HUB, FIRST, SECOND)]
        self._steps = 0
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._kill([one for one in at if one < steps]))
            for side in sides:
                tasks.create_task(side.act(steps // len(sides)))
        for _, store in self._shops():
            await store.disturb(hold=False)
        for place in at:
            if place >= steps and await self.world.undone():
                await self._kill_one()

    async def _kill(self, at: list[int]) -> None:
        for place in at:
            while self._steps < place:
                await asyncio.sleep(0.005)
            await self._kill_one()

    async def _kill_one(self) -> None:
        services = self.world.hub.services
        victim = self.random.choice(sorted(services))
        await kill_service(self.world.hub, victim)
        self.killed[victim] += 1

    def _shops(self) -> tuple[tuple[int, Connected], ...]:
        return (FIRST, self.world.first), (SECOND, self.world.second)


@dataclass
class Side:
    """The people of one side: those of the hub, or of a shop. What they do, they do in order."""

    storm: Storm
    side: int
    random: Random
    is_holding: bool = False

    async def act(self, steps: int) -> None:
        """Do so many things."""
        for _ in range(steps):
            if self.side == HUB:
                await self._act_in_hub()
            else:
                await self._act_in_shop()
            self.storm._steps += 1

    async def _act_in_hub(self) -> None:
        what = self.random.choices(
            ("edit", "invoice", "receipt", "status", "create", "delete"), (50, 15, 10, 15, 6, 4)
        )[0]
        self.storm.done[what] += 1
        match what:
            case "invoice":
                await self._invoice()
            case "receipt":
                await self._receive()
            case "status":
                await self._change_status()
            case "create":
                await self._create_in_hub(f"HUB-{self._mark()}")
            case "delete":
                await self._delete_from_hub()
            case _:
                await self._edit_in_hub()

    async def _act_in_shop(self) -> None:
        what = self.random.choices(
            ("edit", "order", "status", "count", "create", "trash", "mess", "forge"),
            (30, 22, 12, 8, 6, 4, 10, 8),
        )[0]
        self.storm.done[what] += 1
        match what:
            case "order":
                await self._order()
            case "status":
                await self._change_status()
            case "count":
                await self._count()
            case "create":
                await self._create_in_shop()
            case "trash":
                await self._trash()
            case "mess":
                await self._mess()
            case "forge":
                await self._forge()
            case _:
                await self._edit_in_shop()

    async def _edit_in_hub(self) -> None:
        sku = self.random.choice(self._expected.edited_by(HUB))
        title, price = self._content(sku)
        variant = {"id": self.storm._variants[sku], "price": price}
        body = {"title": title, "variants": [variant]}
        path = f"/api/products/{self.storm._ids[HUB][sku]}"
        await self._insist("PATCH", path, body)
        self._expected.content[sku] = title, price

    async def _edit_in_shop(self) -> None:
        sku = self.random.choice(self._expected.edited_by(self.side))
        title, price = self._content(sku)
        await self._operate("edit", sku, {"name": title, "regular_price": price})
        self._expected.content[sku] = title, price
        if self.random.random() < 0.2:
            stale = {"id": self.storm._ids[self.side][sku], "name": "long ago", "sku": sku}
            stale |= {"date_modified_gmt": "2020-01-01T00:00:00", "type": "simple"}
            for _ in range(self.random.choice(TIMES)):
                await self.storm.world.post_webhook(self._store, "product.updated", stale)

    async def _invoice(self) -> None:
        sku, quantity = self._movable(), self.random.randint(1, 3)
        line = {"variantId": self.storm._variants[sku], "quantity": str(quantity)}
        body = {"number": f"INV-{self._mark()}", "lines": [line]}
        await self._insist("POST", "/api/invoices", body, status=201)
        self._expected.moved[sku] -= quantity

    async def _receive(self) -> None:
        sku, quantity = self._movable(), self.random.randint(1, 3)
        note = f"delivery {self._mark()}"
        variant = self.storm._variants[sku]
        body = {"variantId": variant, "quantity": str(quantity), "kind": "receipt", "note": note}
        answer = await self.storm.world.ask("POST", "/api/inventory/movements", body)
        if answer is None:
            self._expected.receipts[note] = sku, quantity
        else:
            assert answer.status_code == 201, answer.text
            self._expected.moved[sku] += quantity

    async def _change_status(self) -> None:
        """Of an order that this side alone changes."""
        sides = (FIRST, SECOND) if self.side == HUB else (self.side,)
        sales = [one for side in sides for one in self._expected.sales[side].values()]
        mine = [one for one in sales if one.by == self.side]
        if not mine:
            return
        sale = self.random.choice(mine)
        status = self.random.choice(_MOVES)
        if self.side != HUB:
            await self._store.shop.operate(
                op="edit", entity="orders", ids=[sale.id], data={"status": status}
            )
            sale.status = status
            return
        store = self.storm.world.stores[sale.side - FIRST]
        found = await self.storm.world.rows(_RECORD_OF, store=store.store_id, key=str(sale.id))
        if found:
            word = _HUB_WORD.get(status, status)
            await self._insist("PATCH", f"/api/orders/{found[0][0]}", {"status": word})
            sale.status = status

    async def _create_in_hub(self, sku: str) -> None:
        variant = {"sku": sku, "price": "7.50", "quantity": "50"}
        body = {"title": sku, "status": "active", "currency": "EUR", "variants": [variant]}
        answer = await self.storm.world.ask("POST", "/api/products", body)
        if answer is None:
            self._expected.doubtful.add(sku)
            return
        assert answer.status_code == 201, answer.text
        self.storm._ids[HUB][sku] = answer.json()["id"]
        self._expected.born[sku] = HUB

    async def _delete_from_hub(self) -> None:
        sku = self._born_here()
        if sku is not None:
            path = f"/api/products/{self.storm._ids[HUB][sku]}"
            answer = await self.storm.world.insist("DELETE", path)
            assert answer.status_code in (204, 404), answer.text
            self._bury(sku)

    async def _create_in_shop(self) -> None:
        """A product of this shop alone, or one that is made in both shops, or in the hub as well."""
        twin = self.random.choice(("", "", "shop", "hub"))
        sku = f"{twin.upper() or 'SHOP'}-{self._mark()}"
        await self._open_product(self.side, sku)
        if twin == "shop":
            await self._open_product(SECOND if self.side == FIRST else FIRST, sku)
        if twin == "hub":
            await self._create_in_hub(sku)
            self._expected.doubtful.discard(sku)
        self._expected.born[sku] = ALL if twin else self.side

    async def _open_product(self, side: int, sku: str) -> None:
        data: dict[str, Any] = {"name": sku, "sku": sku, "regular_price": "7.50"}
        data |= {"status": "publish", "manage_stock": True, "stock_quantity": 50}
        shop = self.storm.world.stores[side - FIRST].shop
        (made,) = await shop.operate(op="create", entity="products", count=1, data=data)
        self.storm._ids[side][sku] = made

    async def _trash(self) -> None:
        sku = self._born_here()
        if sku is not None:
            ids = [self.storm._ids[self.side][sku]]
            await self._store.shop.operate(op="trash", entity="products", ids=ids)
            self._bury(sku)

    async def _order(self) -> None:
        lines = Counter(self._movable() for _ in range(self.random.randint(1, 2)))
        items = [
            {"product_id": self.storm._ids[self.side][sku], "quantity": quantity}
            for sku, quantity in lines.items()
        ]
        buyer = f"buyer{self.random.randrange(6)}@example.test"
        billing = {"first_name": "Ada", "country": "DE", "email": buyer}
        data = {"billing": billing, "line_items": items, "status": "processing"}
        (made,) = await self._store.shop.operate(op="create", entity="orders", count=1, data=data)
        by = self.random.choice((HUB, self.side))
        self._expected.sales[self.side][made] = Sale(made, self.side, by, dict(lines))

    async def _count(self) -> None:
        """Somebody counts what is on the shelf."""
        sku = self.random.choice(self._expected.moved_by(self.side))
        number = self._expected.stock(sku) + self.random.randint(-5, 5)
        await self._operate("edit", sku, {"stock_quantity": number})
        self._expected.set_number(sku, self.side, number)

    async def _mess(self) -> None:
        """Deliveries are held back; or they come, late, often, and in another order."""
        if self.is_holding:
            order = self.random.choice(("reverse", "shuffle"))
            release = {
                "order": order,
                "times": self.random.choice(TIMES),
                "seed": self.random.randrange(1_000),
            }
            await self._store.disturb(release=release)
            await self._store.disturb(hold=False)
        else:
            await self._store.disturb(hold=True)
        self.is_holding = not self.is_holding

    async def _forge(self) -> None:
        forgery = self.random.choice(FORGERIES)
        await self._store.disturb(resend={"last": 2, "times": 2, "forge": forgery})
        await self._store.disturb(resend={"last": 1, "times": self.random.choice(TIMES)})

    @property
    def _expected(self) -> Expected:
        return self.storm.expected

    @property
    def _store(self) -> Connected:
        return self.storm.world.stores[self.side - FIRST]

    def _mark(self) -> str:
        """What no other step of any storm has."""
        self.storm.done["marks"] += 1
        return f"{self.side}-{self.storm.done['marks']}"

    def _content(self, sku: str) -> tuple[str, str]:
        mark = self._mark()
        return f"{sku} edit {mark}", f"{self.random.randint(100, 9_999) / 100:.2f}"

    def _movable(self) -> str:
        return self.random.choice(self._expected.moved_by(self.side) + self._expected.moved_by(ALL))

    def _born_here(self) -> str | None:
        born = [sku for sku, side in self._expected.born.items() if side == self.side]
        return self.random.choice(born) if born else None

    def _bury(self, sku: str) -> None:
        del self._expected.born[sku]
        self._expected.gone.add(sku)

    async def _operate(self, operation: str, sku: str, data: dict[str, Any]) -> None:
        ids = [self.storm._ids[self.side][sku]]
        await self._store.shop.operate(op=operation, entity="products", ids=ids, data=data)

    async def _insist(
        self, method: str, path: str, body: dict[str, Any], *, status: int = 200
    ) -> None:
        answer = await self.storm.world.insist(method, path, body)
        assert answer.status_code == status, answer.text

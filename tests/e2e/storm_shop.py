"""What people do in a shop while it storms, and what becomes of the shop's deliveries."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from tests.e2e.storm_expected import ALL, FIRST, HUB, SECOND, Sale
from tests.e2e.storm_people import STATUSES, People
from tests.e2e.two_way import Connected

_TIMES = (1, 2, 15)
_FORGERIES = ("signature", "body", "unsigned")
_NEW = {
    "regular_price": "7.50",
    "status": "publish",
    "manage_stock": True,
    "stock_quantity": 50,
}


@dataclass(kw_only=True)
class ShopPeople(People):
    """They edit, sell, count, make and trash products; deliveries are late, doubled and forged."""

    is_holding: bool = False

    async def do_something(self) -> None:
        """One thing."""
        match self.choose(
            edit=30, order=22, status=12, count=8, create=6, trash=4, late=10, forged=8
        ):
            case "edit":
                await self._edit()
            case "order":
                await self._sell()
            case "status":
                await self._set_status()
            case "count":
                await self._count()
            case "create":
                await self._create()
            case "trash":
                await self._trash()
            case "late":
                await self._hold_or_release()
            case _:
                await self._forge()

    @property
    def _store(self) -> Connected:
        return self._shop_of(self.side)

    def _shop_of(self, side: int) -> Connected:
        return self.world.stores[(FIRST, SECOND).index(side)]

    async def _edit(self) -> None:
        sku = self.random.choice(self.expected.edited_by(self.side))
        title, price = self.new_content(sku)
        await self._change(sku, {"name": title, "regular_price": price})
        self.expected.content[sku] = title, price
        if self.random.random() < 0.2:
            stale = {"id": self.ids.products[self.side][sku], "name": "long ago", "sku": sku}
            stale |= {"date_modified_gmt": "2020-01-01T00:00:00", "type": "simple"}
            for _ in range(self.random.choice(_TIMES)):
                await self.world.post_webhook(self._store, "product.updated", stale)

    async def _sell(self) -> None:
        lines = Counter(self.movable() for _ in range(self.random.randint(1, 2)))
        items = [
            {"product_id": self.ids.products[self.side][sku], "quantity": quantity}
            for sku, quantity in lines.items()
        ]
        buyer = f"buyer{self.random.randrange(6)}@example.test"
        billing = {"first_name": "Ada", "country": "DE", "email": buyer}
        data = {"billing": billing, "line_items": items, "status": "processing"}
        (made,) = await self._store.shop.operate(op="create", entity="orders", count=1, data=data)
        by = self.random.choice((HUB, self.side))
        self.expected.sales[self.side].append(Sale(made, self.side, by, dict(lines)))

    async def _set_status(self) -> None:
        """Of an order that this shop alone changes."""
        sales = [one for one in self.expected.sales[self.side] if one.by == self.side]
        if sales:
            sale, status = self.random.choice(sales), self.random.choice(STATUSES)
            await self._store.shop.operate(
                op="edit", entity="orders", ids=[sale.id], data={"status": status}
            )
            sale.status = status

    async def _count(self) -> None:
        """Somebody finds more or less. What the hub did to orders may still be on its way."""
        sku = self.random.choice(self.expected.moved_by(self.side))
        moved = self.random.randint(-5, 5)
        await self._change(sku, {"inventory_delta": moved})
        self.expected.moved[sku] += moved

    async def _create(self) -> None:
        """A product of this shop alone, or one that the other shop or the hub has as well."""
        makers = self.random.choice(((self.side,), (FIRST, SECOND), (self.side, HUB)))
        sku = f"{'SHOP' if len(makers) == 1 else 'TWIN'}-{self.mark()}"
        for side in makers:
            if side == HUB:
                await self._create_in_hub(sku)
                continue
            data: dict[str, Any] = {"name": sku, "sku": sku, **_NEW}
            shop = self._shop_of(side).shop
            (made,) = await shop.operate(op="create", entity="products", count=1, data=data)
            self.ids.products[side][sku] = made
        self.expected.born[sku] = self.side if len(makers) == 1 else ALL

    async def _create_in_hub(self, sku: str) -> None:
        """It is refused where the shop's own has come in already."""
        variant = {"sku": sku, "price": _NEW["regular_price"], "quantity": "50"}
        body = {"title": sku, "status": "active", "currency": "EUR", "variants": [variant]}
        answer = await self.world.insist("POST", "/api/products", body, key=sku)
        assert answer.status_code in (201, 409), answer.text

    async def _trash(self) -> None:
        sku = self.born_here()
        if sku is not None:
            ids = [self.ids.products[self.side][sku]]
            await self._store.shop.operate(op="trash", entity="products", ids=ids)
            del self.expected.born[sku]

    async def _hold_or_release(self) -> None:
        """Deliveries are held back; or they come, late, often, and in another order."""
        if self.is_holding:
            order, times = self.random.choice(("reverse", "shuffle")), self.random.choice(_TIMES)
            seed = self.random.randrange(1_000)
            await self._store.disturb(release={"order": order, "times": times, "seed": seed})
            await self._store.disturb(hold=False)
        else:
            await self._store.disturb(hold=True)
        self.is_holding = not self.is_holding

    async def _forge(self) -> None:
        """The last deliveries again, forged and genuine."""
        forgery = self.random.choice(_FORGERIES)
        await self._store.disturb(resend={"last": 2, "times": 2, "forge": forgery})
        await self._store.disturb(resend={"last": 1, "times": self.random.choice(_TIMES)})

    async def _change(self, sku: str, data: dict[str, Any]) -> None:
        ids = [self.ids.products[self.side][sku]]
        await self._store.shop.operate(op="edit", entity="products", ids=ids, data=data)

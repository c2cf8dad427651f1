"""What people do in the hub while it storms."""

from typing import Any

from tests.e2e.storm_expected import FIRST, HUB, SECOND
from tests.e2e.storm_people import STATUSES, People

_WORDS = {"on-hold": "on_hold"}
_RECORD_OF = """
select record_id from links
where store_id = %(store)s and entity = 'orders' and external_id = %(key)s and deleted_at is null
"""


class HubPeople(People):
    """They edit, book invoices and receipts, set the status of orders, make and delete products."""

    async def do_something(self) -> None:
        """One thing."""
        match self.choose(edit=50, invoice=15, receipt=10, status=15, create=6, delete=4):
            case "edit":
                await self._edit()
            case "invoice":
                await self._invoice()
            case "receipt":
                await self._receive()
            case "status":
                await self._set_status()
            case "create":
                await self._create()
            case _:
                await self._delete()

    async def _edit(self) -> None:
        sku = self.random.choice(self.expected.edited_by(HUB))
        title, price = self.new_content(sku)
        variant = {"id": self.ids.variants[sku], "price": price}
        path = f"/api/products/{self.ids.products[HUB][sku]}"
        await self._patch(path, {"title": title, "variants": [variant]})
        self.expected.content[sku] = title, price

    async def _invoice(self) -> None:
        sku, quantity = self.movable(), self.random.randint(1, 3)
        line = {"variantId": self.ids.variants[sku], "quantity": str(quantity)}
        body = {"number": f"INV-{self.mark()}", "lines": [line]}
        answer = await self.world.insist("POST", "/api/invoices", body)
        if answer.status_code == 409:
            assert sku == self.expected.skus[-1], answer.text  # the scarce one
            return
        assert answer.status_code == 201, answer.text
        self.expected.moved[sku] -= quantity

    async def _receive(self) -> None:
        sku, quantity = self.movable(), self.random.randint(1, 3)
        note = f"delivery-{self.mark()}"
        body = {"variantId": self.ids.variants[sku], "quantity": str(quantity), "kind": "receipt"}
        made = await self.world.make("/api/inventory/movements", {**body, "note": note}, key=note)
        if made is None:
            self.expected.receipts[note] = sku, quantity
        else:
            self.expected.moved[sku] += quantity

    async def _set_status(self) -> None:
        """Of an order that the hub alone changes, once the hub has it."""
        sales = [one for one in self.expected.all_sales() if one.by == HUB]
        if not sales:
            return
        sale, status = self.random.choice(sales), self.random.choice(STATUSES)
        store = self.world.stores[(FIRST, SECOND).index(sale.side)]
        found = await self.world.rows(_RECORD_OF, store=store.store_id, key=str(sale.id))
        if found:
            word = _WORDS.get(status, status)
            await self._patch(f"/api/orders/{found[0][0]}", {"status": word})
            sale.status = status

    async def _create(self) -> None:
        sku = f"HUB-{self.mark()}"
        variant = {"sku": sku, "price": "7.50", "quantity": "50"}
        body = {"title": sku, "status": "active", "currency": "EUR", "variants": [variant]}
        made = await self.world.make("/api/products", body, key=sku)
        if made is None:
            self.expected.doubtful.add(sku)
        else:
            self.ids.products[HUB][sku] = made["id"]
            self.expected.born[sku] = HUB

    async def _delete(self) -> None:
        sku = self.born_here()
        if sku is not None:
            answer = await self.world.insist(
                "DELETE", f"/api/products/{self.ids.products[HUB][sku]}"
            )
            assert answer.status_code in (204, 404), answer.text
            del self.expected.born[sku]

    async def _patch(self, path: str, body: dict[str, Any]) -> None:
        answer = await self.world.insist("PATCH", path, body)
        assert answer.status_code == 200, answer.text

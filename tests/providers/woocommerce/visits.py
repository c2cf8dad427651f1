"""A shop on a real socket, and a client with the keys of one of its users."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from domain.entities import Entity
from domain.pages import Pulled
from domain.pushing import Outgoing, Pushed
from domain.records import Product, Record
from providers._kit.http import StoreSession
from providers._kit.protocols import StoreFacts
from providers.woocommerce.client import WooCommerceClient
from providers.woocommerce.config import WooCommerceConfig
from sandbox.woocommerce.app import Sandbox
from sandbox.woocommerce.seed import ShopSeed
from sandbox.woocommerce.serving import Options, Ready, serving


@dataclass
class Visit:
    client: WooCommerceClient
    box: Sandbox
    ready: Ready
    session: StoreSession

    async def read(self, entity: Entity, number: int | str) -> Pulled[Record]:
        page = await self.client.fetch_by_ids(entity, [str(number)])
        assert len(page.records) == 1, page
        return page.records[0]

    async def push(self, entity: Entity, *items: Outgoing) -> list[Pushed]:
        return list(await self.client.push(entity, items))

    async def change(self, entity: Entity, number: int | str, **fields: Any) -> Pushed:
        """Push one record with some fields changed since both sides agreed."""
        pulled = await self.read(entity, number)
        record = pulled.record.model_copy(update=fields)
        item = Outgoing(f"{entity}-1", pulled.external_id, record, base=pulled.record)
        return (await self.push(entity, item))[0]

    def document(self, table: str, number: int | str | None) -> dict[str, Any]:
        return self.box.shop.document(table, int(number or 0))

    def first(self, kind: str, **facts: Any) -> int:
        """The id of the first published product of a kind with these facts."""
        table = self.box.shop.tables["products"]
        return next(
            row.id
            for row in table.rows.values()
            if row.kind == kind
            and row.status == "publish"
            and all(table.document(row)[name] == value for name, value in facts.items())
        )

    def writes(self) -> list[str]:
        """The routes that were written to."""
        return [
            str(entry["path"]).partition("/wc/v3/")[2]
            for entry in self.box.journal.log()
            if entry["method"] != "GET"
        ]


@asynccontextmanager
async def visit(*, kind: str = "read_write", flat: bool = True) -> AsyncIterator[Visit]:
    options = Options(prerender=False, flat_variations=flat)
    seed = ShopSeed(products=60, orders=40, seed=3)
    async with (
        serving(seed, options=options) as (ready, box),
        StoreSession.open(allow_private_addresses=True) as session,
    ):
        key = next(one for one in box.shop.keys.all() if one.permissions == kind)
        config = WooCommerceConfig.model_validate(
            {
                "storeUrl": ready.url,
                "consumerKey": key.consumer_key,
                "consumerSecret": key.consumer_secret,
            }
        )
        # As a probe finds it; `test_sandbox_shop` probes.
        details = {"auth": "oauth", "signing_url": ready.url, "flat_variations": flat}
        facts = StoreFacts(store_url=ready.url, currency="EUR", details=details)
        yield Visit(WooCommerceClient(config, facts, session), box, ready, session)


def product_of(pushed: Pushed) -> Product:
    assert pushed.pulled is not None, pushed
    assert isinstance(pushed.pulled.record, Product)
    return pushed.pulled.record

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from domain.entities import IMPORT_ORDER, Entity
from domain.errors import StoreError, StoreUnavailableError, StoreUnreachableError
from domain.pages import Pulled
from domain.records import Order, Product, Record, snapshot
from providers._kit.http import StoreSession
from providers.woocommerce.client import WooCommerceClient
from providers.woocommerce.config import WooCommerceConfig
from sandbox.faults import Rule
from sandbox.woocommerce.app import Sandbox
from sandbox.woocommerce.seed import ShopSeed
from sandbox.woocommerce.serving import Address, Options, Ready, serving


@dataclass
class Visit:
    client: WooCommerceClient
    details: dict[str, object]
    box: Sandbox


@asynccontextmanager
async def _visit(ready: Ready, box: Sandbox, url: str, *rules: Rule) -> AsyncIterator[Visit]:
    ca_file = Path(ready.ca_file) if ready.ca_file else None
    async with StoreSession.open(allow_private_addresses=True, ca_file=ca_file) as session:
        config = WooCommerceConfig.model_validate(
            {
                "storeUrl": url,
                "consumerKey": ready.consumer_key,
                "consumerSecret": ready.consumer_secret,
            }
        )
        box.faults.rules.extend(rules)
        facts = await WooCommerceClient(config, None, session).probe()
        yield Visit(WooCommerceClient(config, facts, session), dict(facts.details), box)


@asynccontextmanager
async def _shop(
    tmp_path: Path, *, flat_variations: bool = True, bad_records: int = 0
) -> AsyncIterator[tuple[Ready, Sandbox]]:
    seed = ShopSeed(products=120, orders=130, bad_records=bad_records)
    options = Options(flat_variations=flat_variations, prerender=False)
    async with serving(seed, Address(https_port=0, ca_dir=tmp_path), options) as running:
        yield running


async def _read_all(client: WooCommerceClient, entity: Entity) -> list[Pulled[Record]]:
    records: list[Pulled[Record]] = []
    first = await client.fetch_page(entity, 1)
    for number in range(1, (first.total_pages or 0) + 1):
        records += (await client.fetch_page(entity, number)).records
    return records


def _truth(box: Sandbox, entity: Entity) -> list[int]:
    return sorted(document["id"] for document in box.shop.truth(entity.value))


async def test_whole_shop_reads_the_same_by_every_way_in(tmp_path: Path) -> None:
    seen: list[dict[str, bytes]] = []
    for flat in (True, False):
        async with _shop(tmp_path, flat_variations=flat) as (ready, box):
            for url in (ready.url, ready.https_url or ""):
                async with _visit(ready, box, url) as visit:
                    records: dict[str, bytes] = {}
                    for entity in IMPORT_ORDER:
                        pulled = await _read_all(visit.client, entity)
                        assert [int(one.external_id) for one in pulled] == _truth(box, entity)
                        home = ready.url.encode()
                        records |= {
                            f"{entity}/{one.external_id}": snapshot(one.record)
                            .replace(home, b"HOME")
                            .replace((ready.https_url or "").encode(), b"HOME")
                            for one in pulled
                        }
                    assert visit.details["auth"] == ("basic" if "https" in url else "oauth")
                    assert visit.details["flat_variations"] is flat
                    seen.append(records)

    assert seen[1:] == seen[:1] * 3


async def test_variations_and_amounts_are_the_shops(tmp_path: Path) -> None:
    async with _shop(tmp_path) as (ready, box), _visit(ready, box, ready.url) as visit:
        products = await _read_all(visit.client, Entity.PRODUCTS)
        orders = await _read_all(visit.client, Entity.ORDERS)
        variations = {document["id"] for document in box.shop.truth("variations")}
        totals = {str(document["id"]): document for document in box.shop.truth("orders")}

    sold = {
        int(variant.external_id)
        for pulled in products
        if isinstance(pulled.record, Product) and pulled.record.kind == "variable"
        for variant in pulled.record.variants
    }
    assert sold == variations
    for pulled in orders:
        assert isinstance(pulled.record, Order)
        document = totals[pulled.external_id]
        assert pulled.record.total == Decimal(document["total"])
        assert pulled.record.currency == document["currency"]
        assert len(pulled.record.lines) == len(document["line_items"])
        assert pulled.record.raw_status == document["status"]


@pytest.mark.parametrize("kind", ["bom", "notice"])
async def test_badly_kept_shop_is_read_all_the_same(tmp_path: Path, kind: str) -> None:
    async with (
        _shop(tmp_path) as (ready, box),
        _visit(ready, box, ready.url, Rule(kind)) as visit,
    ):
        pulled = await _read_all(visit.client, Entity.ORDERS)

        assert [int(one.external_id) for one in pulled] == _truth(box, Entity.ORDERS)


@pytest.mark.parametrize(
    ("rule", "error", "retry_after_s"),
    [
        (Rule("error", status=429, retry_after=7), StoreError, 7.0),
        (Rule("error", status=500), StoreUnavailableError, None),
        (Rule("maintenance"), StoreUnavailableError, 600.0),
        (Rule("html"), StoreUnavailableError, None),
        (Rule("truncate"), StoreUnreachableError, None),
        (Rule("drop"), StoreUnreachableError, None),
        (Rule("drop", when="after"), StoreUnreachableError, None),
    ],
    ids=lambda it: it.kind if isinstance(it, Rule) else "",
)
async def test_fault_of_the_shop_is_one_that_may_pass(
    tmp_path: Path, rule: Rule, error: type[StoreError], retry_after_s: float | None
) -> None:
    async with _shop(tmp_path) as (ready, box), _visit(ready, box, ready.url) as visit:
        box.faults.rules.append(rule)
        with pytest.raises(error) as caught:
            await visit.client.fetch_page(Entity.ORDERS, 1)
        assert (caught.value.retryable, caught.value.retry_after_s) == (True, retry_after_s)

        box.faults.rules.clear()
        assert (await visit.client.fetch_page(Entity.ORDERS, 1)).size == 100


@pytest.mark.parametrize("silent", [False, True])
async def test_host_that_strips_the_header_never_sees_the_secret(
    tmp_path: Path, silent: bool
) -> None:
    rule = Rule("strip_authorization", silent=silent)
    async with (
        _shop(tmp_path) as (ready, box),
        _visit(ready, box, ready.https_url or "", rule) as visit,
    ):
        assert (await visit.client.fetch_page(Entity.ORDERS, 1)).size == 100
        assert visit.details["auth"] == "oauth"


async def test_deleted_and_trashed_are_told_apart_from_the_rest(tmp_path: Path) -> None:
    async with _shop(tmp_path) as (ready, box), _visit(ready, box, ready.url) as visit:
        kept, trashed, deleted = _truth(box, Entity.ORDERS)[:3]
        box.shop.trash("orders", trashed)
        box.shop.delete("orders", deleted)

        page = await visit.client.fetch_by_ids(
            Entity.ORDERS, [str(kept), str(trashed), str(deleted)]
        )

        assert [pulled.external_id for pulled in page.records] == [str(kept)]
        assert sorted(page.tombstones) == sorted([str(trashed), str(deleted)])


async def test_what_was_edited_is_what_changed(tmp_path: Path) -> None:
    async with _shop(tmp_path) as (ready, box), _visit(ready, box, ready.url) as visit:
        listing = await visit.client.fetch_listing(Entity.PRODUCTS)
        assert listing.store_clock is not None
        edited = _truth(box, Entity.PRODUCTS)[5:9]
        for number in edited:
            box.shop.edit("products", number, {"name": "Renamed &amp; moved"})

        step = await visit.client.fetch_changes(
            Entity.PRODUCTS, since=listing.store_clock.isoformat(), cursor=None
        )

        assert step.cursor is None
        assert sorted(int(pulled.external_id) for pulled in step.page.records) == edited
        titles = {getattr(pulled.record, "title", "") for pulled in step.page.records}
        assert titles == {"Renamed & moved"}


async def test_records_nobody_can_take_are_set_aside(tmp_path: Path) -> None:
    async with (
        _shop(tmp_path, bad_records=3) as (ready, box),
        _visit(ready, box, ready.url) as visit,
    ):
        page = await visit.client.fetch_page(Entity.PRODUCTS, 2)

        assert [rejected.reason for rejected in page.rejected] == [
            "price: not an amount of money; regular_price: not an amount of money",
            "id: Field required",
            "id: Field required",
        ]
        assert len(page.records) == page.size - 3

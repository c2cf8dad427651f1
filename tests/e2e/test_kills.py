"""One import survives the death of its worker, of PostgreSQL and of Temporal."""

import os
from pathlib import Path
from random import Random

from temporalio.client import Client

from runtime.settings import Settings
from tests.e2e.contents import FLAWLESS, differences, read_changes, read_contents
from tests.e2e.kills import PAGE_SIZE, VICTIMS, carry_out, draw_three_kills
from tests.e2e.running import running_hub
from tests.e2e.shop import open_shop
from tests.e2e.undisturbed import import_undisturbed
from tests.servers import TestDatabase

PRODUCTS = ORDERS = 1_000
SEED = int(os.environ.get("KILL_SEED", "11"))

# Orders are answered slowly from their last pages on, so that catching up can be caught.
SLOW = {
    "kind": "slow",
    "path": "/wc/v3/orders",
    "skip": ORDERS // PAGE_SIZE,
    "count": 16,
    "delay_s": 0.1,
}


async def test_a_killed_import_ends_like_one_that_was_left_alone(
    tmp_path: Path, database: TestDatabase, temporal_client: Client, settings: Settings
) -> None:
    kills = draw_three_kills(Random(SEED), products=PRODUCTS, orders=ORDERS)
    assert {kill.victim for kill in kills} == set(VICTIMS)
    async with (
        open_shop("--products", str(PRODUCTS), "--orders", str(ORDERS)) as shop,
        running_hub(tmp_path) as hub,
    ):
        await shop.set_faults(SLOW)
        store_id = await hub.connect_store("killed", shop.form)
        await carry_out(hub, store_id, kills[:2])
        await shop.operate(op="edit", entity="orders", count=30, seed=SEED)
        await shop.operate(op="edit", entity="products", count=30, seed=SEED)
        await shop.operate(op="create", entity="orders", count=5, seed=SEED)
        await carry_out(hub, store_id, kills[2:])
        assert await hub.end_of(store_id, within_s=60) == ("success", None)
        asked = await shop.asked()

        other_id, _ = await import_undisturbed(temporal_client, settings, shop.form)
        asked_undisturbed = await shop.asked()
        killed = read_contents(hub.superuser_url, store_id)
        assert differences(killed, read_contents(database.superuser_url, other_id)) == []
        assert all(killed.values())
        assert len(killed["orders"]) == len(await shop.truth("orders"))
        assert read_changes(hub.superuser_url, store_id) == FLAWLESS

    whole_pages = {address: n for address, n in asked.items() if "_fields" not in address}
    assert max(whole_pages.values()) <= 1 + len(kills)
    assert max(asked.values()) <= 10
    assert asked.total() <= 2 * asked_undisturbed.total()

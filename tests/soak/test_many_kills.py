"""A hundred kills over import after import of a larger shop.

`SOAK_KILLS`, `SOAK_KILLS_PER_IMPORT`, `SOAK_SHOP` (products, and as many orders) and `KILL_SEED`
make it shorter, longer or different.
"""

import os
from pathlib import Path
from random import Random

import pytest
from temporalio.client import Client

from runtime.settings import Settings
from tests.e2e.contents import FLAWLESS, differences, read_changes, read_contents
from tests.e2e.kills import PAGE_SIZE, Kill, carry_out, draw_kills
from tests.e2e.running import RunningHub, running_hub
from tests.e2e.shop import Shop, open_shop
from tests.e2e.undisturbed import import_undisturbed
from tests.servers import TestDatabase

KILLS = int(os.environ.get("SOAK_KILLS", "100"))
PER_IMPORT = int(os.environ.get("SOAK_KILLS_PER_IMPORT", "5"))
SHOP = int(os.environ.get("SOAK_SHOP", "4000"))
PATIENCE_S = 300.0
SEED = int(os.environ.get("KILL_SEED", "1"))

# As in the short test: without it catching up is over before it can be caught.
SLOW = {
    "kind": "slow",
    "path": "/wc/v3/orders",
    "skip": SHOP // PAGE_SIZE,
    "count": 16 + 10 * PER_IMPORT,
    "delay_s": 0.1,
}


@pytest.mark.soak
async def test_no_kill_ever_shows_in_what_was_imported(
    tmp_path: Path, database: TestDatabase, temporal_client: Client, settings: Settings
) -> None:
    random, left = Random(SEED), KILLS
    async with (
        open_shop("--products", str(SHOP), "--orders", str(SHOP)) as shop,
        running_hub(tmp_path) as hub,
    ):
        while left:
            kills = draw_kills(random, min(PER_IMPORT, left), products=SHOP, orders=SHOP)
            before = await shop.truth("products")
            # A tenant of its own: nothing but the kills may differ from the import without them.
            async with hub.another_tenant(f"killed-{left}") as own:
                store_id = await import_killed(own, shop, kills, seed=left)
            left -= len(kills)

            other_id, _ = await import_undisturbed(temporal_client, settings, shop.form)
            killed = read_contents(hub.superuser_url, store_id)
            undisturbed = read_contents(database.superuser_url, other_id)
            assert differences(killed, undisturbed) == [], kills
            assert len(killed["orders"]) == len(await shop.truth("orders"))
            assert await shop.truth("products") == before, "an import made products"
            assert read_changes(hub.superuser_url, store_id) == FLAWLESS, kills


async def import_killed(hub: RunningHub, shop: Shop, kills: list[Kill], *, seed: int) -> int:
    """Import the shop, which goes on working, while processes are killed; the store's id."""
    await shop.set_faults(SLOW)
    store_id = await hub.connect_store(f"killed-{seed}", shop.form)
    await carry_out(hub, store_id, kills[:-1], patience_s=PATIENCE_S)
    for entity in ("orders", "products"):
        await shop.operate(op="edit", entity=entity, count=50, seed=seed)
    await shop.operate(op="create", entity="orders", count=20, seed=seed)
    await carry_out(hub, store_id, kills[-1:], patience_s=PATIENCE_S)
    end = await hub.end_of(store_id, within_s=PATIENCE_S)
    assert end == ("success", None), kills
    return store_id

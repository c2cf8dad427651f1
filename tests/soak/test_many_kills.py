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
from tests.e2e.kills import PAGE_SIZE, carry_out, draw_kills
from tests.e2e.running import running_hub
from tests.e2e.shop import open_shop
from tests.e2e.undisturbed import import_undisturbed
from tests.servers import TestDatabase

KILLS = int(os.environ.get("SOAK_KILLS", "100"))
PER_IMPORT = int(os.environ.get("SOAK_KILLS_PER_IMPORT", "5"))
SHOP = int(os.environ.get("SOAK_SHOP", "4000"))
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
            await shop.set_faults(SLOW)
            store_id = await hub.connect_store(f"killed-{left}", shop.form)
            await carry_out(hub, store_id, kills[:-1])
            for entity in ("orders", "products"):
                await shop.operate(op="edit", entity=entity, count=50, seed=left)
            await shop.operate(op="create", entity="orders", count=20, seed=left)
            await carry_out(hub, store_id, kills[-1:])
            left -= len(kills)
            end = await hub.end_of(store_id, within_s=300)
            assert end == ("success", None), kills

            other_id, _ = await import_undisturbed(temporal_client, settings, shop.form)
            killed = read_contents(hub.superuser_url, store_id)
            undisturbed = read_contents(database.superuser_url, other_id)
            assert differences(killed, undisturbed) == [], kills
            assert len(killed["orders"]) == len(await shop.truth("orders"))
            assert read_changes(hub.superuser_url, store_id) == FLAWLESS, kills

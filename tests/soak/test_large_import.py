"""An import of very many records, in a worker whose memory does not grow with them.

`SOAK_RECORDS` is how many products and orders the shop has together.
"""

import os
import re
from pathlib import Path

import pytest

from tests.e2e.running import RunningHub, running_hub
from tests.e2e.shop import open_shop

RECORDS = int(os.environ.get("SOAK_RECORDS", "200000"))
PRODUCTS = RECORDS // 10
LONGEST_S = 7_200.0
MOST_BYTES = 250 * 1024 * 1024

_PEAK = re.compile(r"^VmHWM:\s+(\d+) kB$", re.MULTILINE)


@pytest.mark.soak
async def test_a_large_shop_is_imported_in_bounded_memory(tmp_path: Path) -> None:
    size = ("--products", str(PRODUCTS), "--orders", str(RECORDS - PRODUCTS), "--no-prerender")
    async with open_shop(*size) as shop, running_hub(tmp_path) as hub:
        worker = hub.services["worker"].pid
        store_id = await hub.connect_store("large", shop.form)
        assert await hub.end_of(store_id, within_s=LONGEST_S) == ("success", None)
        assert hub.services["worker"].pid == worker
        assert peak_bytes(worker) < MOST_BYTES
        for entity in ("products", "orders"):
            assert await held(hub, store_id, entity) == await shop.truth(entity)


def peak_bytes(pid: int | None) -> int:
    """The most memory that a process ever held (proc(5), VmHWM)."""
    found = _PEAK.search(Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found.group(1)) * 1024


async def held(hub: RunningHub, store_id: int, entity: str) -> set[str]:
    """The ids of the store's records that the hub holds alive."""
    rows = await hub.query(
        "select external_id from links"
        " where store_id = %(store)s and entity = %(entity)s and deleted_at is null",
        store=store_id,
        entity=entity,
    )
    assert rows is not None
    return {row[0] for row in rows}

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.entities import Entity
from domain.pages import Page
from domain.records import Record
from tests.providers.easyorder.stores import faked
from tests.providers.fake_store import json_answer
from tests.providers.golden import check_page

GOLDEN = Path(__file__).parents[3] / "providers" / "easyorder" / "golden"
CASES = {
    "categories": Entity.CATEGORIES,
    "products": Entity.PRODUCTS,
    "orders": Entity.ORDERS,
}


async def _read(case: str) -> Page[Record]:
    rows: list[Any] = json.loads((GOLDEN / f"{case}.wire.json").read_text())

    def answering(request: httpx.Request) -> httpx.Response:
        return json_answer(rows[0] if case == "orders" else rows)

    client, _ = faked(answering)
    if case == "orders":
        return await client.fetch_by_ids(Entity.ORDERS, [rows[0]["id"]])
    return await client.fetch_page(CASES[case], 1)


@pytest.mark.parametrize("case", CASES)
async def test_documented_answer_becomes_these_records(case: str, update_golden: bool) -> None:
    check_page(await _read(case), GOLDEN / f"{case}.canonical.json", update=update_golden)


def test_every_golden_file_is_used() -> None:
    files = {path.name for path in GOLDEN.iterdir()}

    used = {f"{case}.{kind}.json" for case in CASES for kind in ("wire", "canonical")}
    assert files == used | {"webhooks.json", "SOURCE.md"}

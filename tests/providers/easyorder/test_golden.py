import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.entities import Entity
from domain.pages import Page, Pulled
from domain.records import Record
from tests.providers.easyorder.stores import faked
from tests.providers.fake_store import json_answer

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


def _canonical(pulled: Pulled[Record]) -> dict[str, Any]:
    return {
        "external_id": pulled.external_id,
        "version": pulled.version.isoformat() if pulled.version else None,
        "record": pulled.record.model_dump(mode="json", exclude_defaults=True),
        "levels": [level.model_dump(mode="json") for level in pulled.levels],
    }


@pytest.mark.parametrize("case", CASES)
async def test_documented_answer_becomes_these_records(case: str, update_golden: bool) -> None:
    page = await _read(case)

    found = json.loads(json.dumps([_canonical(pulled) for pulled in page.records]))
    path = GOLDEN / f"{case}.canonical.json"
    if update_golden:
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    assert found == json.loads(path.read_text())
    assert (page.rejected, page.tombstones) == ((), ())


def test_every_golden_file_is_used() -> None:
    files = {path.name for path in GOLDEN.iterdir()}

    used = {f"{case}.{kind}.json" for case in CASES for kind in ("wire", "canonical")}
    assert files == used | {"webhooks.json", "SOURCE.md"}

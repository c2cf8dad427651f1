import httpx
import pytest

from domain.entities import Entity
from domain.pages import Page
from domain.records import Record, snapshot
from tests.providers.fake_store import json_answer, rest_error
from tests.providers.golden import check_page
from tests.providers.woocommerce.shops import GOLDEN, client, golden, route

CASES = {
    "categories": Entity.CATEGORIES,
    "products_simple": Entity.PRODUCTS,
    "products_variable": Entity.PRODUCTS,
    "products_external": Entity.PRODUCTS,
    "products_grouped": Entity.PRODUCTS,
    "customers": Entity.CUSTOMERS,
    "orders": Entity.ORDERS,
    "orders_refunded": Entity.ORDERS,
}
KEPT_BY_OTHERS = {"SOURCE.md", "webhooks.json"}
USED_ELSEWHERE = {"variations", "system_status"}


async def _read(case: str) -> Page[Record]:
    def answer(request: httpx.Request) -> httpx.Response:
        if route(request) == "variations":
            return json_answer(golden("variations"))
        if route(request).endswith("/variations"):
            return rest_error(404, "woocommerce_rest_product_invalid_id")
        rows = golden(case)
        return json_answer(rows, total=len(rows), pages=1)

    reader, _ = client(answer, flat_variations=True)
    return await reader.fetch_page(CASES[case], 1)


@pytest.mark.parametrize("case", CASES)
async def test_answer_of_a_real_shop_becomes_these_records(case: str, update_golden: bool) -> None:
    check_page(await _read(case), GOLDEN / f"{case}.canonical.json", update=update_golden)


@pytest.mark.parametrize("case", CASES)
async def test_assembled_records_are_what_validation_would_make(case: str) -> None:
    page = await _read(case)

    for pulled in page.records:
        for record in (pulled.record, *pulled.levels):
            model = type(record)
            assert list(record.__dict__) == list(model.model_fields)
            assert model.model_validate(record.model_dump(), strict=True) == record
            again = model.model_validate_json(record.model_dump_json())
            assert again == record
            assert snapshot(again) == snapshot(record)


def test_every_golden_file_is_used() -> None:
    files = {path.name for path in GOLDEN.iterdir()}

    used = {f"{case}.{kind}.json" for case in CASES for kind in ("wire", "canonical")}
    assert files == used | {f"{name}.wire.json" for name in USED_ELSEWHERE} | KEPT_BY_OTHERS

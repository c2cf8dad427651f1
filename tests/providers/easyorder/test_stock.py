from decimal import Decimal
from typing import Any

from domain.pushing import Outcome, StockShown, StockTarget
from tests.providers.easyorder.pushes import written
from tests.providers.easyorder.stores import visiting


def target(row: dict[str, Any], available: int | str, variant: int | None = None) -> StockTarget:
    sold = row if variant is None else row["variants"][variant]
    return StockTarget(sold["id"], row["id"], "", Decimal(available))


async def test_stock_is_set_by_sku_and_by_codes_and_read_back() -> None:
    async with visiting() as visit:
        simple, variable = visit.simple(), visit.with_variants()
        before = simple["quantity"]

        first, second, gone = await visit.client().push_stock(
            [
                target(simple, 7),
                target(variable, 9, 1),
                StockTarget("no", "no", "", Decimal(1)),
            ]
        )

        assert (first.outcome, first.before, first.after) == (Outcome.DONE, before, Decimal(7))
        assert (second.outcome, second.after) == (Outcome.DONE, Decimal(9))
        assert gone.outcome is Outcome.MISSING
        assert written(visit) == [
            f"PATCH /products/sku/{simple['sku']}/quantity",
            "PATCH /products/variants/{}/{}/quantity".format(
                variable["taager_code"], variable["variants"][1]["taager_code"]
            ),
        ]
        now = await visit.client().read_stock([target(simple, 0), target(variable, 0, 1)])
        assert list(now.values()) == [StockShown(Decimal(7)), StockShown(Decimal(9))]


async def test_stock_without_codes_uses_what_is_left_or_says_so() -> None:
    async with visiting() as visit:
        simple, variable = visit.simple(), visit.with_variants()
        simple["sku"] = variable["taager_code"] = ""
        uncounted = visit.rows("products")[1]
        uncounted["track_stock"] = False

        told = await visit.client().push_stock(
            [
                target(simple, 3),
                target(variable, 3, 0),
                target(uncounted, 3),
                target(simple, "1.5"),
            ]
        )

        assert [one.outcome for one in told] == [
            *(Outcome.DONE, Outcome.UNSUPPORTED),
            *(Outcome.UNSUPPORTED, Outcome.REFUSED),
        ]
        assert "taager code" in told[1].reason
        assert "track stock" in told[2].reason
        assert written(visit) == [f"PATCH /products/{simple['id']}"]
        assert simple["quantity"] == 3

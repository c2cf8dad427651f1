import pytest

from domain.entities import Entity
from domain.pushing import Outcome
from domain.records import Order
from domain.statuses import OrderStatus
from tests.providers.easyorder.pushes import held, push, written
from tests.providers.easyorder.stores import visiting


@pytest.mark.parametrize(
    ("status", "raw", "word", "fields"),
    [
        (OrderStatus.PROCESSING, "", "processing", {}),
        (OrderStatus.PROCESSING, "", "confirmed", {"processingWord": "confirmed"}),
        (OrderStatus.PROCESSING, "waiting_for_pickup", "waiting_for_pickup", {}),
        (OrderStatus.CANCELLED, "", "canceled", {}),
        (OrderStatus.SHIPPED, "pending", "in_delivery", {}),
        (OrderStatus.COMPLETED, "", "delivered", {}),
        (OrderStatus.ON_HOLD, "request_refund", "request_refund", {}),
    ],
)
async def test_order_status_goes_out_in_the_stores_words(
    status: OrderStatus, raw: str, word: str, fields: dict[str, str]
) -> None:
    async with visiting() as visit:
        order = visit.store.order({})
        client = visit.client(**fields)
        base = (await held(client, Entity.ORDERS, order["id"])).record
        changed = base.model_copy(update={"status": status, "raw_status": raw})

        done = await push(client, Entity.ORDERS, external_id=order["id"], record=changed, base=base)

        assert done.outcome is Outcome.DONE
        assert visit.store.get("orders", order["id"])["status"] == word
        assert done.pulled is not None
        assert isinstance(done.pulled.record, Order)
        assert done.pulled.record.raw_status == word


async def test_order_already_there_is_left_alone() -> None:
    async with visiting() as visit:
        order = visit.store.order({"status": "paid"})
        base = (await held(visit.client(), Entity.ORDERS, order["id"])).record
        changed = base.model_copy(update={"raw_status": ""})

        done = await push(
            visit.client(), Entity.ORDERS, external_id=order["id"], record=changed, base=base
        )

        assert done.outcome is Outcome.DONE
        assert written(visit) == []

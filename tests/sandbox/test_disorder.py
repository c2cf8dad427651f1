import json
from typing import Any

import pytest

from sandbox.woocommerce.deliveries import signature
from tests.sandbox.local import Local, local_shop
from tests.sandbox.test_webhooks import SECRET, Receiver, attach, subscribe


async def _edited(local: Local, *names: str) -> Receiver:
    """Deliveries of as many edits of one product, held or not."""
    receiver = attach(local)
    await subscribe(local, "product.updated")
    await local.box.webhooks.courier.drained()
    receiver.taken.clear()
    return receiver


async def _edit(local: Local, name: str) -> None:
    local.shop.edit("products", local.first("simple"), {"name": name})
    await local.control("POST", "drain")


def _names(receiver: Receiver) -> list[str]:
    return [json.loads(request.content)["name"] for request in receiver.taken]


async def test_held_deliveries_come_late_and_in_another_order() -> None:
    async with local_shop() as local:
        receiver = await _edited(local)
        assert (await local.control("POST", "webhooks", json={"hold": True}))["held"] == 0
        for name in ("one", "two", "three"):
            await _edit(local, name)
        assert receiver.taken == []
        told = await local.control("POST", "webhooks", json={"release": {"order": "reverse"}})
        assert told == {"statuses": [200, 200, 200], "held": 0}
        # Each says what was so when it was built.
        assert _names(receiver) == ["three", "two", "one"]
        await _edit(local, "four")
        assert len(receiver.taken) == 3
        await local.control("POST", "webhooks", json={"hold": False})
        await _edit(local, "five")
        assert _names(receiver)[3:] == ["four", "five"]


async def test_deliveries_come_many_times_over() -> None:
    async with local_shop() as local:
        receiver = await _edited(local)
        await _edit(local, "one")
        told = await local.control("POST", "webhooks", json={"resend": {"times": 15}})
        assert told["statuses"] == [200] * 15
        assert _names(receiver) == ["one"] * 16
        assert len({request.headers["x-wc-webhook-signature"] for request in receiver.taken}) == 1


async def test_shuffled_deliveries_are_the_same_for_the_same_seed() -> None:
    orders = []
    for _ in range(2):
        async with local_shop() as local:
            receiver = await _edited(local)
            await local.control("POST", "webhooks", json={"hold": True})
            for name in "abcdef":
                await _edit(local, name)
            release = {"order": "shuffle", "times": 2, "seed": 5}
            await local.control("POST", "webhooks", json={"release": release})
            orders.append(_names(receiver))

    assert orders[0] == orders[1]
    assert sorted(orders[0]) == sorted("abcdef" * 2)
    assert orders[0] != sorted(orders[0])


@pytest.mark.parametrize("forge", ["signature", "body", "unsigned"])
async def test_forged_deliveries_do_not_verify(forge: str) -> None:
    async with local_shop() as local:
        receiver = await _edited(local)
        await _edit(local, "one")
        await local.control("POST", "webhooks", json={"resend": {"forge": forge}})
        genuine, forged = receiver.taken

    assert genuine.headers["x-wc-webhook-signature"] == signature(genuine.content, SECRET)
    given = forged.headers.get("x-wc-webhook-signature", "")
    assert given != signature(forged.content, SECRET)
    assert forged.headers["x-wc-webhook-topic"] == "product.updated"


async def test_webhooks_are_shown_without_their_secrets() -> None:
    async with local_shop() as local:
        attach(local, status=500)
        made = await subscribe(local, "product.updated")
        for name in "abcdefg":
            await _edit(local, name)
        shown = await local.control("GET", "webhooks")

    assert [(one["id"], one["status"]) for one in shown] == [(made["id"], "disabled")]
    assert SECRET not in json.dumps(shown)


@pytest.mark.parametrize(
    "data",
    [
        {"nonsense": 1},
        {"release": {}},
        {"resend": {"forge": "all"}},
        {"resend": {"what": 1}},
        {"hold": True, "release": {"order": "random"}},
    ],
)
async def test_a_wrong_request_is_refused(data: dict[str, Any]) -> None:
    async with local_shop() as local:
        headers = {"X-Sandbox-Token": "t"}
        answer = await local.client.request(
            "POST", "/_sandbox/webhooks", headers=headers, json=data
        )

    assert answer.status_code == 400
    assert "Error" in answer.json()["error"]

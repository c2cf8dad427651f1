import pytest

from tests.api.hub import Caller, Hub
from tests.api.testshop_webhooks import SOURCE, TOPIC
from tests.api.webhook_shop import Shop, new_shop


@pytest.fixture
async def shop(hub: Hub, caller: Caller) -> Shop:
    return await new_shop(hub, caller)


async def test_the_signature_decides_among_the_shops_of_an_address(
    hub: Hub, caller: Caller
) -> None:
    first = await new_shop(hub, caller, webhookSecret="whsec_first_aaaa")
    other = await new_shop(hub, await hub.new_caller(), webhookSecret="whsec_second_bbb")
    answer = await first.send(
        path="/api/testshop-sync/webhook/order.updated",
        secret="whsec_second_bbb",
        headers={SOURCE: "http://WWW.Shop.example/", TOPIC: ""},
    )
    assert answer.status_code == 200, answer.text
    assert await first.events() == []
    assert [one["topic"] for one in await other.events()] == ["order.updated"]


@pytest.mark.parametrize("source", ["https://elsewhere.example", "", "https://shop.example"])
async def test_without_a_shop_that_signed_so_it_is_refused(shop: Shop, source: str) -> None:
    answer = await shop.send(
        path="/api/testshop-sync/webhook/order.updated",
        secret="whsec_of_nobody",
        headers={SOURCE: source} if source else {},
    )
    assert answer.status_code == 401
    assert await shop.events() == []


async def test_an_organization_takes_what_one_of_its_stores_signed(shop: Shop) -> None:
    second = await new_shop(shop.hub, shop.caller, "second", webhookSecret="whsec_second_b")
    path = f"/api/webhooks/testshop/{shop.caller.tenant.public_id}"
    body = b'{"topic": "order.created", "id": 4}'
    answers = [
        await shop.send(body, path=path, secret="whsec_second_b"),
        await shop.send(body, path=path, secret="whsec_of_nobody"),
    ]
    assert [answer.status_code for answer in answers] == [200, 401]
    assert len(await second.events()) == 1
    assert await shop.events() == []


async def test_the_secret_of_another_tenant_opens_nothing(shop: Shop) -> None:
    stranger = await shop.hub.new_caller()
    await new_shop(shop.hub, stranger, webhookSecret="whsec_stranger")
    path = f"/api/webhooks/testshop/{shop.caller.tenant.public_id}"
    assert (await shop.send(path=path, secret="whsec_stranger")).status_code == 401
    assert await shop.events() == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/webhooks/testshop/org_nobody",
        "/api/webhooks/testshop/org%00nobody",
        "/api/webhooks/nothing/org_nobody",
        "/api/nothing-sync/webhook/order.created",
    ],
)
async def test_an_address_of_nobody_is_answered_404(shop: Shop, path: str) -> None:
    assert (await shop.send(path=path)).status_code == 404


@pytest.mark.parametrize(
    "path", ["/api/webhooks/testshop/{org}", "/api/testshop-sync/webhook/order.created"]
)
async def test_the_unsigned_test_is_answered(shop: Shop, path: str) -> None:
    path = path.replace("{org}", shop.caller.tenant.public_id)
    answer = await shop.hub.http.post(path, content=b"ping")
    assert answer.status_code == 200
    assert await shop.events() == []

from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr

from domain.deliveries import Delivery, Told
from domain.entities import Entity
from domain.errors import PermissionDeniedError, RequestRejectedError
from providers._kit.protocols import ManagesWebhooks, StoreFacts
from providers.woocommerce.webhooks import WooCommerceWebhooks
from tests.providers.woocommerce.shops import config
from tests.providers.woocommerce.visits import visit

URL = "https://hub.example/api/stores/webhooks/abc"
SECRET = SecretStr("s3cr3t-0123456789")
WEBHOOKS = WooCommerceWebhooks()


async def test_webhooks_are_made_listed_switched_on_again_and_deleted() -> None:
    async with visit() as shop:
        shop.box.webhooks.courier.transport = httpx.MockTransport(lambda _: httpx.Response(200))
        client = shop.client
        assert isinstance(client, ManagesWebhooks)
        assert await client.list_subscriptions() == []
        made = [await client.subscribe(topic, URL, SECRET) for topic in WEBHOOKS.topics]
        assert all(one.is_active and one.delivery_url == URL for one in made)
        assert [one.topic for one in await client.list_subscriptions()] == list(WEBHOOKS.topics)
        hook = shop.box.webhooks.courier.webhooks[int(made[0].external_id)]
        hook.status = "disabled"
        off = (await client.list_subscriptions())[0]
        assert not off.is_active
        again = await client.activate(replace(off, delivery_url=f"{URL}2"), SecretStr("other"))
        assert (again.is_active, again.delivery_url) == (True, f"{URL}2")
        assert (hook.secret, hook.status) == ("other", "active")
        await client.unsubscribe(made[0].external_id)
        await client.unsubscribe(made[0].external_id)
        assert len(await client.list_subscriptions()) == len(WEBHOOKS.topics) - 1


async def test_more_webhooks_than_a_page_are_listed() -> None:
    async with visit() as shop:
        shop.box.webhooks.courier.transport = httpx.MockTransport(lambda _: httpx.Response(200))
        batch = {"create": [{"topic": "order.created", "delivery_url": URL}] * 100}
        await shop.client.known.write("POST", "webhooks/batch", batch)
        await shop.client.subscribe("order.updated", URL, SECRET)
        assert len(await shop.client.list_subscriptions()) == 101


async def test_a_read_key_makes_no_webhooks() -> None:
    async with visit(kind="read") as shop:
        assert await shop.client.list_subscriptions() == []
        with pytest.raises(PermissionDeniedError, match="Read/Write"):
            await shop.client.subscribe("order.created", URL, SECRET)


async def test_an_unknown_topic_is_refused() -> None:
    async with visit() as shop:
        with pytest.raises(RequestRejectedError, match="topic"):
            await shop.client.subscribe("nonsense", URL, SECRET)


async def test_what_the_shop_delivers_is_understood() -> None:
    taken: list[httpx.Request] = []

    def receive(request: httpx.Request) -> httpx.Response:
        taken.append(request)
        return httpx.Response(200)

    async with visit() as shop:
        courier = shop.box.webhooks.courier
        courier.transport, courier.latency_s = httpx.MockTransport(receive), 0
        await shop.client.subscribe("product.updated", URL, SECRET)
        number = shop.first("simple")
        shop.box.shop.edit("products", number, {"name": "Neu", "description": "a"})
        await courier.drained()
        pulled = await shop.read(Entity.PRODUCTS, number)
        home = shop.ready.url

    ping, told = (
        Delivery("generic", {k.lower(): v for k, v in one.headers.items()}, one.content)
        for one in taken
    )
    own = config().model_copy(update={"webhook_secret": SECRET})
    facts = StoreFacts(store_url=home, currency="EUR")
    assert WEBHOOKS.is_ping(ping)
    assert WEBHOOKS.is_genuine(own, told, now=datetime.now(UTC))
    assert WEBHOOKS.source(told) == home
    # A delivery says what a pull says, to the byte, so an echo is known for one.
    meaning = WEBHOOKS.read(own, facts, told)
    assert isinstance(meaning, Told)
    assert meaning.pulled == pulled

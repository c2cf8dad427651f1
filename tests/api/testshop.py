"""A provider that exists only for the API's tests. Nothing is ever called."""

from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import SecretStr

from domain.entities import Entity
from providers._kit.protocols import Manifest, StoreClient, StoreConfig, StoreFacts, Webhooks
from tests.api.testshop_webhooks import TestshopWebhooks


class TestshopConfig(StoreConfig):
    """The connection form."""

    consumer_key: SecretStr
    consumer_secret: SecretStr


@dataclass(frozen=True, slots=True)
class Testshop:
    """A provider with no client."""

    config_model: ClassVar[type[StoreConfig]] = TestshopConfig
    webhooks: ClassVar[Webhooks | None] = TestshopWebhooks()
    manifest: ClassVar[Manifest] = Manifest(
        slug="testshop",
        title="Test shop",
        entities=(Entity.CATEGORIES, Entity.PRODUCTS, Entity.CUSTOMERS, Entity.ORDERS),
        tracks_changes=frozenset({Entity.PRODUCTS, Entity.ORDERS}),
        page_size=100,
        instructions="All: {generic_url}; orders: {new_order_url}; {order_status_url}; "
        "secret: {webhook_secret}; {braces} stay",
        documentation_url="https://testshop.example/docs",
        description="For tests",
    )

    def connect(self, config: StoreConfig, facts: StoreFacts | None, session: Any) -> StoreClient:
        """Not for tests of the API."""
        raise AssertionError(f"the API talks to no store: {config!r} {facts!r} {session!r}")


PROVIDER = Testshop()

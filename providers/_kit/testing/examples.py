"""Forms, stores and records to try a provider with, whatever it is."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import httpx
from pydantic import SecretStr

from domain.entities import Entity
from domain.field_mapping import NO_MAPPING, FieldMapping
from domain.records import Category, Customer, Order, Product, Record, Variant
from domain.statuses import OrderStatus, ProductStatus
from providers._kit.http import StoreSession
from providers._kit.protocols import Provider, StoreClient, StoreConfig, StoreFacts

URL: Final = "https://store.example"

RECORDS: Final[Mapping[Entity, Record]] = {
    Entity.CATEGORIES: Category(name="Lamps", slug="lamps"),
    Entity.PRODUCTS: Product(
        title="Lamp",
        slug="lamp",
        status=ProductStatus.ACTIVE,
        currency="EUR",
        variants=(Variant(external_id="1", sku="LAMP-1", price=Decimal("9.5")),),
    ),
    Entity.CUSTOMERS: Customer(email="buyer@example.com", first_name="Nadia"),
    Entity.ORDERS: Order(
        number="1", status=OrderStatus.COMPLETED, currency="EUR", total=Decimal(10)
    ),
}
"""A small record of each kind, as what the store with id 1 should become."""


def example_secrets(provider: Provider) -> list[str]:
    """The secrets of `example_config`, as they would be seen."""
    return [
        f"{name}-0123456789-secret"
        for name, form_field in provider.config_model.model_fields.items()
        if form_field.annotation in (SecretStr, SecretStr | None)
    ]


def example_config(provider: Provider) -> StoreConfig:
    """A filled connection form; other required fields are taken from their first example."""
    values: dict[str, Any] = {}
    for name, form_field in provider.config_model.model_fields.items():
        if form_field.annotation in (SecretStr, SecretStr | None):
            values[name] = f"{name}-0123456789-secret"
        elif form_field.is_required():
            values[name] = (form_field.examples or [URL])[0]
    return provider.config_model.model_validate({**values, "store_url": URL})


def connected(
    provider: Provider,
    answer: Callable[[httpx.Request], httpx.Response],
    mapping: FieldMapping = NO_MAPPING,
) -> tuple[StoreClient, list[httpx.Request]]:
    asked: list[httpx.Request] = []

    def answering(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answer(request)

    session = StoreSession(httpx.MockTransport(answering))
    facts = StoreFacts(store_url=URL, currency="EUR", field_mapping=mapping)
    return provider.connect(example_config(provider), facts, session), asked

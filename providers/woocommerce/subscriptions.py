"""A shop's webhooks, made and kept through its API.

Source: WooCommerce REST API docs (v3, webhooks). The secret is write-only; a shop sends an unsigned
test when a webhook becomes active, and makes it `disabled` after repeated failures.
"""

from collections.abc import Sequence
from typing import Any, Final

from pydantic import SecretStr

from domain.errors import RouteMissingError, StoreUnavailableError
from providers._kit.protocols import Subscription
from providers.woocommerce.access import ShopAccess, header_number
from providers.woocommerce.wire import row_id
from providers.woocommerce.writing import store_number

_ROUTE: Final = "webhooks"
_ACTIVE: Final = "active"
_PAGE_SIZE: Final = 100
_MOST_PAGES: Final = 20


class WebhookSubscriptions:
    """The webhooks of one shop."""

    def __init__(self, access: ShopAccess) -> None:
        self._access = access

    async def list_subscriptions(self) -> Sequence[Subscription]:
        """Every webhook the shop has, whoever made it. Raises StoreError."""
        found: list[Subscription] = []
        for page in range(1, _MOST_PAGES + 1):
            params = (
                ("per_page", str(_PAGE_SIZE)),
                ("page", str(page)),
                ("orderby", "id"),
                ("order", "asc"),
            )
            answer = await self._access.get(_ROUTE, params)
            rows = self._access.rows(answer, _ROUTE)
            found += [one for one in map(_subscription, rows) if one is not None]
            if len(rows) < _PAGE_SIZE or page == header_number(answer, "x-wp-totalpages"):
                break
        return found

    async def subscribe(self, topic: str, delivery_url: str, secret: SecretStr) -> Subscription:
        """Create one, active. Raises StoreError."""
        body = {
            "name": f"Entrepot {topic}",
            "topic": topic,
            "delivery_url": delivery_url,
            "secret": secret.get_secret_value(),
            "status": _ACTIVE,
        }
        return self._read(await self._access.write("POST", _ROUTE, body))

    async def activate(self, subscription: Subscription, secret: SecretStr) -> Subscription:
        """Switch one on again, with this secret and address. Raises StoreError."""
        body = {
            "status": _ACTIVE,
            "secret": secret.get_secret_value(),
            "delivery_url": subscription.delivery_url,
        }
        route = f"{_ROUTE}/{store_number(subscription.external_id)}"
        return self._read(await self._access.write("PUT", route, body))

    async def unsubscribe(self, external_id: str) -> None:
        """Delete one for good: webhooks have no trash. It is no error that it is gone."""
        route = f"{_ROUTE}/{store_number(external_id)}"
        try:
            await self._access.write("DELETE", route, params=(("force", "true"),))
        except RouteMissingError:
            return

    def _read(self, row: Any) -> Subscription:
        found = _subscription(row)
        if found is None:
            raise StoreUnavailableError(
                f"{self._access.describe(_ROUTE)}: the store answered with no webhook."
            )
        return found


def _subscription(row: Any) -> Subscription | None:
    number = row_id(row)
    if number is None:
        return None
    return Subscription(
        external_id=number,
        topic=str(row.get("topic", "")),
        delivery_url=str(row.get("delivery_url", "")),
        is_active=row.get("status") == _ACTIVE,
    )

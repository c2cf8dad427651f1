"""Connecting by a link instead of a copied key.

Source: EasyOrders API docs, "install app": the seller opens a link, consents, and the seller's
browser POSTs `{"api_key", "store_id"}` to the callback, with a CORS preflight from the dashboard's
origin (observed live). Nothing in it is signed, so whoever takes it verifies the key by using it.
Webhook secrets are not among it.
"""

import json
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, urlencode

from domain.errors import InvalidRecordError
from providers._kit.install_links import InstallRequest

ORIGIN: Final = "https://app.easy-orders.net"
_PERMISSIONS: Final = ",".join(
    f"{kind}:{right}"
    for kind, rights in {
        "products": ("read", "create", "update"),
        "categories": ("read", "create", "update"),
        "orders": ("read", "update"),
    }.items()
    for right in rights
)
_LONGEST_KEY: Final = 500


def install_url(request: InstallRequest) -> str:
    """The link to open; its parameters stand behind the `#`."""
    told = {
        "app_name": request.app_name,
        "app_description": request.app_description,
        "permissions": _PERMISSIONS,
        "callback_url": request.callback_url,
        "orders_webhook": request.new_order_url,
        "order_status_webhook": request.order_status_url,
        "redirect_url": request.redirect_url,
    }
    query = urlencode({name: one for name, one in told.items() if one}, quote_via=quote)
    return f"{ORIGIN}/#/install-app?{query}"


def read_callback(body: bytes) -> Mapping[str, Any]:
    """The fields of the connection form that a callback delivers.

    Raises:
        InvalidRecordError: it carries no key.
    """
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        told = None
    key = told.get("api_key") if isinstance(told, dict) else None
    if not isinstance(key, str) or not 0 < len(key) <= _LONGEST_KEY:
        raise InvalidRecordError("The callback carries no api_key.")
    return {"apiKey": key}

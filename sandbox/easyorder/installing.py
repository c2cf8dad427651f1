"""What happens when a seller opens an install link and consents.

Source: EasyOrders API docs, "install app". The seller's browser makes the callback from the
dashboard's origin, after a CORS preflight (observed live), so an answer that does not allow the
origin is a failure even if the request arrived. The webhooks' secrets are shown to the seller only.
"""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import httpx

if TYPE_CHECKING:
    from sandbox.easyorder.app import Sandbox

ORIGIN = "https://app.easy-orders.net"
_PREFLIGHT = {
    "Origin": ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type",
}


async def install(box: "Sandbox", link: str) -> dict[str, Any]:
    """Consent to a link: make its webhooks, and bring the key to its callback.

    Raises:
        ValueError: no install link.
    """
    _, mark, query = link.partition("#/install-app?")
    if not mark:
        raise ValueError("not an install link")
    told = {name: values[0] for name, values in parse_qs(query).items()}
    kinds = {"orders": "orders_webhook", "order_status": "order_status_webhook"}
    made = [box.courier.add(kind, told[name]) for kind, name in kinds.items() if name in told]
    allowed, status, answered = await _call_back(box, told["callback_url"])
    return {
        "preflight_allowed": allowed,
        "callback_status": status,
        "callback_answer": answered,
        "permissions": told.get("permissions", "").split(","),
        "webhooks": [asdict(one) for one in made],
    }


async def _call_back(box: "Sandbox", url: str) -> tuple[bool, int, Any]:
    body = {"api_key": box.api_key, "store_id": box.store.store_id}
    transport = box.courier.transport
    async with httpx.AsyncClient(trust_env=False, timeout=60, transport=transport) as browser:
        asked = await browser.options(url, headers=_PREFLIGHT)
        allowed = (
            asked.is_success
            and asked.headers.get("access-control-allow-origin") == ORIGIN
            and "post" in asked.headers.get("access-control-allow-methods", "").lower()
            and "content-type" in asked.headers.get("access-control-allow-headers", "").lower()
        )
        if not allowed:
            return False, 0, None
        answer = await browser.post(url, json=body, headers={"Origin": ORIGIN})
        is_seen = answer.headers.get("access-control-allow-origin") == ORIGIN
        return True, answer.status_code, answer.json() if is_seen and answer.content else None

"""Where a shop sends its webhooks, and whether it can."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from api.config import ApiConfig
from providers._kit.protocols import Manifest

_HIDDEN = "the webhook secret of this store"


@dataclass(frozen=True, slots=True)
class WebhookUrls:
    """The addresses of one store. `unreachable_reason` is None when shops can reach them."""

    generic: str
    new_order: str
    order_status: str
    unreachable_reason: str | None


def webhook_urls(config: ApiConfig, webhook_code: str, *, own_url: str) -> WebhookUrls:
    """Build the addresses; `own_url` is where this request came in, used without a public URL."""
    base = (config.public_url or own_url).rstrip("/")
    generic = f"{base}/api/stores/webhooks/{webhook_code}"
    return WebhookUrls(
        generic=generic,
        new_order=f"{generic}/newOrder",
        order_status=f"{generic}/orderStatus",
        unreachable_reason=_why_unreachable(config.public_url),
    )


def instructions(manifest: Manifest, urls: WebhookUrls, *, secret: str | None) -> str:
    """What a person has to do in the shop. Without `secret` the text does not tell it."""
    values = {
        "{generic_url}": urls.generic,
        "{new_order_url}": urls.new_order,
        "{order_status_url}": urls.order_status,
        "{webhook_secret}": secret or _HIDDEN,
    }
    text = manifest.instructions
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def _why_unreachable(public_url: str | None) -> str | None:
    if public_url is None:
        return (
            "No public URL is configured, so shops cannot reach this server: set "
            "ENTREPOT_PUBLIC_URL to its address on the internet."
        )
    if _is_private(urlsplit(public_url).hostname or ""):
        return "ENTREPOT_PUBLIC_URL is a private address: only shops in the same network reach it."
    return None


def _is_private(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local", ".internal")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False

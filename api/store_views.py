"""From a store's row to its body."""

from typing import Any, TypeVar

from pydantic import SecretStr

from api.schemas.stores import FactsAnswer, StoreAnswer
from api.services import ApiServices
from api.store_settings import held_settings
from api.webhook_urls import instructions, webhook_urls
from db.stores import Store
from domain.errors import NotFoundError

A = TypeVar("A", bound=StoreAnswer)

_SAME = (
    *("id", "name", "code", "provider", "store_url", "is_active", "sync_status"),
    *("last_sync_error", "sync_retry_count", "last_sync_attempt_at", "next_retry_at"),
    *("webhook_code", "created_at", "updated_at"),
)


def facts_view(facts: Any) -> FactsAnswer:
    """What people may want to know of a store; the provider's own details stay inside."""
    return FactsAnswer.model_validate(facts)


def store_view(
    services: ApiServices,
    store: Store,
    kind: type[A],
    *,
    own_url: str,
    generated_secret: SecretStr | None = None,
    **more: Any,
) -> A:
    """A store as `kind` shows it. Its webhook secret is told only where it was just generated."""
    urls = webhook_urls(services.config, store.webhook_code, own_url=own_url)
    secret = generated_secret.get_secret_value() if generated_secret else None
    return kind.model_validate(
        {
            **{name: getattr(store, name) for name in _SAME},
            "facts": facts_view(store.facts),
            "webhook_urls": {
                "generic": urls.generic,
                "new_order": urls.new_order,
                "order_status": urls.order_status,
            },
            "webhook_urls_reachable": urls.unreachable_reason is None,
            "webhook_urls_unreachable_reason": urls.unreachable_reason,
            "instructions": _instructions(services, store, urls, secret),
            "settings": held_settings(store.settings),
            "webhook_secret": secret,
            **more,
        }
    )


def _instructions(services: ApiServices, store: Store, urls: Any, secret: str | None) -> str:
    try:
        manifest = services.registry.get(store.provider).manifest
    except NotFoundError:  # the provider was removed from this release; its stores stay readable
        return ""
    return instructions(manifest, urls, secret=secret)

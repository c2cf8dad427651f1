"""What a provider says of itself, what a merchant enters, and what a probe finds out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, SecretStr

from domain.documents import Document
from domain.entities import Entity
from domain.field_mapping import NO_MAPPING, FieldMapping
from domain.sync_settings import Direction, SyncDirections


class StoreConfig(Document):
    """Base of the connection forms: what a merchant enters. Secrets are `SecretStr`.

    Field names are snake_case here and camelCase in JSON and forms. `webhook_secret` may be left
    out by the merchant; the hub then generates one, unless the shop makes it (see `Manifest`).
    Fields that hold an address the keys are sent to carry the JSON schema format `uri`.
    """

    store_url: str
    webhook_secret: SecretStr | None = None


class StoreFacts(BaseModel):
    """What a probe found out about a store: nothing secret, kept beside it, shown to people.

    `details` is the provider's own (its version, how to reach its API, which routes it has).
    `field_mapping` are the store's own rules; they are kept elsewhere, and never with the facts.
    """

    model_config = ConfigDict(frozen=True)

    store_name: str = ""
    store_url: str
    version: str = ""
    currency: str
    timezone: str = ""
    details: Mapping[str, Any] = {}
    field_mapping: InstanceOf[FieldMapping] = Field(default=NO_MAPPING, exclude=True, repr=False)


_READ_ONLY = SyncDirections(
    products=Direction.PULL,
    categories=Direction.PULL,
    customers=Direction.PULL,
    inventory=Direction.PULL,
    order_status=Direction.PULL,
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a provider is and can do.

    Attributes:
        slug: the folder's name, and the text the database keeps.
        title: the name people know.
        entities: what can be pulled, in dependency order.
        tracks_changes: the entities with a "modified since" filter; the others are read again.
        page_size: rows a page holds at most.
        instructions: markdown for a person who connects the store; `{new_order_url}`,
            `{order_status_url}`, `{generic_url}` and `{webhook_secret}` are filled in.
        directions: what a new store of this provider syncs, unless its settings say otherwise.
        supports: the most it can do, per kind of record; settings beyond it are refused.
        push_sizes: how many records one call of `push` takes at most, by entity.
        reserves_pending: whether pending orders of a new store hold stock, see `StoreSettings`.
        requests_per_minute: the store's request limit with a margin; None: none is known.
        makes_webhook_secret: whether the hub makes the webhook secret when the merchant enters
            none. False where the shop makes it: it stays unset until it is entered.
    """

    slug: str
    title: str
    entities: tuple[Entity, ...]
    tracks_changes: frozenset[Entity]
    page_size: int
    instructions: str
    documentation_url: str = ""
    description: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    directions: SyncDirections = field(default_factory=SyncDirections)
    supports: SyncDirections = field(default_factory=lambda: _READ_ONLY)
    push_sizes: Mapping[Entity, int] = field(default_factory=dict)
    reserves_pending: bool = False
    requests_per_minute: float | None = None
    makes_webhook_secret: bool = True

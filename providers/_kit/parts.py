"""The capability of webhooks to show what a part of a record says."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

from domain.deliveries import Delivery
from providers._kit.manifest import StoreConfig, StoreFacts

Part = Mapping[str, Any]
"""Values by path, as `domain.differences.values_of` spells them; `variants.{key}.available` is what
is in stock."""


@runtime_checkable
class ReadsParts(Protocol):
    """Tells what of a record a body names that does not hold all of it. Pure."""

    def read_part(self, config: StoreConfig, facts: StoreFacts, delivery: Delivery) -> Part:
        """The fields that the body decides by itself; nothing where it cannot be understood.

        To be shown to a person, never to be written: what the body leaves out is not empty, and
        what it says may be old.
        """
        ...

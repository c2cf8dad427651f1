"""What a forced push leaves out."""

from typing import Protocol, runtime_checkable

from domain.records import Record


@runtime_checkable
class SparesFields(Protocol):
    """Leaves some fields that are as they were unsaid, also by force. Pure."""

    def spared(self, record: Record, base: Record | None) -> frozenset[str]:
        """The paths of those fields. `base` is what both sides last agreed on."""
        ...

"""The capability of a client whose pages can have another size than its manifest says."""

from typing import Protocol, runtime_checkable

from providers._kit.protocols import StoreClient


@runtime_checkable
class SizesPages(Protocol):
    """Reads its lists in pages of a size of our choice."""

    def with_page_size(self, size: int) -> StoreClient:
        """A client of the same store whose pages have `size` records, or the most it allows."""
        ...

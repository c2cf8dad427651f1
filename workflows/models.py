"""What goes into workflows, comes out of them, and what they answer when asked."""

from activities.models import Counts, Message, ProbeStoreResult, StoreRef
from domain.entities import Entity
from pydantic import Field

LADDER_S = (0, 300, 900, 3600, 10800)
"""The product's ladder: at once, 5 minutes, 15 minutes, 1 hour, 3 hours."""


class CheckStoreInput(Message):
    """Credentials to try."""

    tenant_id: int
    store_check_id: int
    provider: str


CheckStoreResult = ProbeStoreResult


class ImportStoreInput(StoreRef):
    """A store to import.

    Attributes:
        ladder_s: seconds to wait before each try of a store that is down.
        max_rounds: how often to catch up with a shop that goes on changing.
        in_flight: how many activities may read from the store at once.
        pages_per_activity: how many pages one activity takes.
    """

    provider: str
    ladder_s: tuple[float, ...] = LADDER_S
    max_rounds: int = 10
    in_flight: int = 4
    pages_per_activity: int = 8


class PullInput(ImportStoreInput):
    """One entity to pull. Round 0 reads all pages; later rounds catch up."""

    run_id: int
    entity: Entity
    round: int
    tracks_changes: bool
    page_size: int
    carried: Counts = Counts()
    next_page: int = 1
    failures: int = 0


class PullResult(Message):
    """What a pull did. Not settled: the list moved under every sweep of the round."""

    entity: Entity
    counts: Counts
    is_settled: bool = True


class ImportStoreResult(Message):
    """What an import did, per entity. Not settled: the shop changed through every round."""

    run_id: int
    entities: dict[Entity, Counts]
    rounds: int
    is_settled: bool


class ImportProgress(Message):
    """The answer to the query `progress`."""

    run_id: int | None = None
    phase: str = "starting"
    round: int = 0
    entities: dict[Entity, Counts] = Field(default_factory=dict)

"""What goes into activities and comes out of them: ids and counts, never records or secrets."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.entities import Entity


class Message(BaseModel):
    """Base of everything that crosses Temporal: frozen, closed, small."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Counts(Message):
    """What became of records. `seen` is the sum of the others but `deleted`."""

    seen: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    rejected: int = 0
    pages: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            seen=self.seen + other.seen,
            created=self.created + other.created,
            updated=self.updated + other.updated,
            unchanged=self.unchanged + other.unchanged,
            deleted=self.deleted + other.deleted,
            rejected=self.rejected + other.rejected,
            pages=self.pages + other.pages,
        )

    @property
    def changed(self) -> int:
        """Records that are different now."""
        return self.created + self.updated + self.deleted


class StoreRef(Message):
    """Whose work it is."""

    tenant_id: int
    store_id: int


class ProbeStoreInput(Message):
    """Credentials to try: a row of `store_checks`."""

    tenant_id: int
    store_check_id: int


class ProbeStoreResult(Message):
    """What the probe learned (`StoreFacts` as plain JSON), or why the store said no.

    `error_type` is the name of a `StoreError`; `message` is for people.
    """

    facts: dict[str, object] | None = None
    error_type: str | None = None
    message: str | None = None


class BeginRunInput(StoreRef):
    """A run to begin, or to go on with after a cancelled or failed one of the same kind."""

    kind: str
    workflow_id: str
    workflow_run_id: str


class BeginRunResult(Message):
    """The run, and what there is to pull."""

    run_id: int
    provider: str
    entities: tuple[Entity, ...]
    tracks_changes: tuple[Entity, ...]
    page_size: int
    resumed: bool = False


class RunRef(StoreRef):
    """Which run."""

    run_id: int


class PullMode(StrEnum):
    """What a pull is for. The changes of an import are marked bulk, and only a sweep of an import
    deletes without a brake; a reconcile writes down what should not have been different."""

    IMPORT = "import"
    KEEP_UP = "keep_up"
    RECONCILE = "reconcile"


class EntityRef(RunRef):
    """Which entity of which run. With `force` the store wins every conflict, and no brake holds.

    `page_size` is how many records a page has; None: as many as the provider has in them.
    """

    entity: Entity
    mode: PullMode = PullMode.IMPORT
    force: bool = False
    page_size: int | None = None


class PlanPullResult(Message):
    """How long the list is now."""

    total: int
    total_pages: int


class PullRangeInput(EntityRef):
    """Pages `first` to `last` (1-based, inclusive); with `collect`, keeping ids for a sweep.

    `is_again`: the run has read these pages before, so what is known and the same does not count.
    None: as `collect` says.
    """

    name: str
    first: int
    last: int
    collect: bool = False
    is_again: bool | None = None


class PullRangeResult(Message):
    """What the range did, and how many pages the list had when its last page was read."""

    counts: Counts
    total_pages: int


class PullChangesInput(EntityRef):
    """One round's changes. `name` tells apart the rounds of two attempts at one run."""

    name: str
    round: int


class SweepInput(EntityRef):
    """Collect the ids of pages `first` to `last`."""

    first: int
    last: int


class StartSweepResult(Message):
    """The listing that the sweep must find again at its end to be trusted."""

    total: int
    total_pages: int
    newest_id: str | None


class SettleSweepInput(EntityRef):
    """Compare what the sweep saw with the links; `before` is the listing it started from."""

    name: str
    round: int
    before: StartSweepResult


class SettleSweepResult(Message):
    """`is_trusted` is False when the list moved under the sweep, which must then be repeated.

    `held_back` records would have been deleted, and were too many to be.
    """

    is_trusted: bool
    held_back: int = 0
    counts: Counts = Counts()


class RecordFailureInput(RunRef):
    """A store failure to show on the store: how often it failed, and when it is tried again."""

    message: str
    retry_count: int
    next_retry_at: datetime | None


class EndRunInput(RunRef):
    """How a run ended: `success`, `failed` or `cancelled`."""

    status: str
    error: str | None = None

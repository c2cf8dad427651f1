"""One run of one store, and its activities called as Temporal calls them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Self, TypeVar

from temporalio.testing import ActivityEnvironment

from activities.lanes import LeftToSweeper
from activities.models import (
    BeginRunInput,
    EntityRef,
    PullChangesInput,
    PullRangeInput,
    SettleSweepInput,
    StartSweepResult,
    SweepInput,
)
from activities.pull import PullActivities
from activities.runs import RunActivities
from activities.stores import StoreOpener
from activities.sweep import SweepActivities
from domain.entities import Entity
from tests.workflows.scene import Scene

T = TypeVar("T")


@dataclass(frozen=True)
class Bench:
    """Everything is about the orders."""

    scene: Scene
    runs: RunActivities
    pull: PullActivities
    sweep: SweepActivities
    run_id: int

    @classmethod
    async def begin(cls, scene: Scene) -> Self:
        hub = scene.hub
        opener = StoreOpener(hub.database, hub.box, hub.registry, hub.session)
        runs = RunActivities(hub.database, opener, LeftToSweeper())
        begun = await run(
            runs.begin_run,
            BeginRunInput(
                tenant_id=scene.tenant_id,
                store_id=scene.store_id,
                kind="import",
                workflow_id=f"import/{scene.store_id}",
                workflow_run_id="r",
            ),
        )
        return cls(
            scene,
            runs,
            PullActivities(hub.database, opener),
            SweepActivities(hub.database, opener),
            begun.run_id,
        )

    @property
    def ref(self) -> EntityRef:
        return EntityRef(
            tenant_id=self.scene.tenant_id,
            store_id=self.scene.store_id,
            run_id=self.run_id,
            entity=Entity.ORDERS,
        )

    def range_of(self, first: int, last: int, *, collect: bool = False) -> PullRangeInput:
        name = f"p{first}-{last}"
        return PullRangeInput(
            **self.ref.model_dump(), name=name, first=first, last=last, collect=collect
        )

    def changes(self, name: str, number: int = 1) -> PullChangesInput:
        return PullChangesInput(**self.ref.model_dump(), name=name, round=number)

    def ids(self, first: int, last: int) -> SweepInput:
        return SweepInput(**self.ref.model_dump(), first=first, last=last)

    def settled(self, before: StartSweepResult) -> SettleSweepInput:
        return SettleSweepInput(**self.ref.model_dump(), name="s", round=1, before=before)

    def count(self) -> int:
        """How many orders the shop lists."""
        return len(self.scene.shop.shop.tables["orders"].ids())

    def drafts(self) -> list[int]:
        """Orders that are being drafted: they are listed, and are none."""
        rows = self.scene.shop.shop.tables["orders"].rows.values()
        return [row.id for row in rows if row.status == "checkout-draft"]


async def run(
    activity: Callable[[Any], Awaitable[T]],
    args: Any,
    environment: ActivityEnvironment | None = None,
) -> T:
    """Call an activity as Temporal does."""
    result: T = await (environment or ActivityEnvironment()).run(activity, args)
    return result

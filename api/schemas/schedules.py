"""Bodies about schedules, syncs started by hand, and drift."""

from typing import Annotated, Any, Literal

from pydantic import Field

from api.schemas.base import Answer, Body, UtcTime, example
from api.schemas.stores import STORE_EXAMPLE, StoreAnswer
from api.schemas.syncs import DryRun
from domain.entities import Entity
from domain.schedules import ScheduleSpec

_SPECS: dict[str, Any] = {
    "pull": {"interval": "PT15M", "cron": None, "timeZone": "UTC", "jitter": "PT1M"},
    "reconcile": {
        "interval": None,
        "cron": "30 3 * * *",
        "timeZone": "Asia/Colombo",
        "jitter": "PT0S",
    },
    "stockSweep": None,
}

Kind = Literal["pull", "reconcile", "stockSweep"]
Spec = Annotated[
    ScheduleSpec | None,
    Field(description="ISO 8601 durations or seconds; either interval or cron; None: not at all"),
]


class ScheduleBody(Body):
    """A store's schedules, all of them: what is left out is not scheduled."""

    model_config = Body.model_config | example(
        {
            "pull": {"interval": "PT15M", "jitter": "PT1M"},
            "reconcile": {"cron": "30 3 * * *", "timeZone": "Asia/Colombo"},
        }
    )

    pull: Spec = None
    reconcile: Spec = None
    stock_sweep: Spec = None


class ScheduleAnswer(Answer):
    """A store's schedules. While one of a kind runs, the next of the kind is skipped."""

    model_config = Answer.model_config | example({"storeId": 12, "paused": False, **_SPECS})

    store_id: int
    paused: bool = Field(description="Stopped by a person; while a store is inactive all rest")
    pull: ScheduleSpec | None
    reconcile: ScheduleSpec | None
    stock_sweep: ScheduleSpec | None


class TriggerBody(Body):
    """What to do now."""

    model_config = Body.model_config | example({"kind": "reconcile"})

    kind: Kind = "pull"


class SyncBody(Body):
    """A sync to start now."""

    model_config = Body.model_config | example({"entities": ["products"], "force": False})

    kind: Kind = "pull"
    entities: Annotated[tuple[Entity, ...], Field(max_length=len(Entity))] = Field(
        default=(), description="Empty: all that is due"
    )
    force: bool = Field(
        default=False,
        description="The store wins every conflict, everything is read again, and deletions are "
        "not held back however many they are",
    )
    dry_run: DryRun = False


class ActivationAnswer(StoreAnswer):
    """A store after it was activated or deactivated."""

    model_config = StoreAnswer.model_config | example(
        {**STORE_EXAMPLE, "workflowId": "sync/12", "warning": None}
    )

    workflow_id: str | None = Field(description="The sync that brings it up to date")
    warning: str | None = Field(description="What could not be done at once")


class DriftItemAnswer(Answer):
    """A difference that should not have been."""

    id: int
    entity: str
    external_id: str | None
    record_id: int | None
    kind: Literal["missing_here", "missing_there", "differs"]
    details: str | None
    repaired: bool
    created_at: UtcTime


class DriftListAnswer(Answer):
    """A page of drift, newest first."""

    model_config = Answer.model_config | example(
        {
            "data": [
                {
                    "id": 5,
                    "entity": "products",
                    "externalId": "4711",
                    "recordId": 120,
                    "kind": "differs",
                    "details": "a change was missed",
                    "repaired": True,
                    "createdAt": "2026-11-21T03:31:00Z",
                }
            ],
            "nextCursor": None,
        }
    )

    data: list[DriftItemAnswer]
    next_cursor: str | None

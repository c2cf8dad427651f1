"""The task queues. Each has slots of its own, because priority alone does not free a busy slot."""

from collections.abc import Collection, Iterable
from enum import StrEnum


class TaskQueue(StrEnum):
    """A person waits on `INTERACTIVE`; `EVENTS` drains lanes, `PULL` keeps up, `IMPORT` is bulk."""

    INTERACTIVE = "interactive"
    EVENTS = "events"
    PULL = "pull"
    IMPORT = "import"


def unserved(served: Iterable[Collection[str]]) -> list[str]:
    """The task queues that none of these workers serves, each told by its queues."""
    taken = {queue for queues in served for queue in queues}
    return [queue.value for queue in TaskQueue if queue.value not in taken]

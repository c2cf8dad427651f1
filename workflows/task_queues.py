"""The task queues. Each has slots of its own, because priority alone does not free a busy slot."""

from enum import StrEnum


class TaskQueue(StrEnum):
    """A person waits on `INTERACTIVE`; `EVENTS` drains lanes, `PULL` keeps up, `IMPORT` is bulk."""

    INTERACTIVE = "interactive"
    EVENTS = "events"
    PULL = "pull"
    IMPORT = "import"

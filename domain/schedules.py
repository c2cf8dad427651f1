"""When a store is synced by itself."""

from datetime import timedelta
from typing import Annotated, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, model_validator

from domain.documents import Document

SHORTEST = timedelta(minutes=1)
LONGEST = timedelta(days=31)

_FIELD = r"[0-9A-Za-z*/,\-?]{1,40}"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError("an IANA time zone like Asia/Colombo is needed") from error
    return name


class ScheduleSpec(Document):
    """Either every so often, or by a cron expression (minute, hour, day, month, weekday).

    Attributes:
        interval: between two starts.
        time_zone: IANA name, for `cron`. A time that a change of the clocks leaves out is skipped.
        jitter: how much later a start may be, so that not all stores start at once.
    """

    interval: Annotated[timedelta, Field(ge=SHORTEST, le=LONGEST)] | None = None
    cron: Annotated[str, Field(pattern=rf"^{_FIELD}( {_FIELD}){{4}}$")] | None = None
    time_zone: Annotated[str, Field(max_length=64), AfterValidator(_known_zone)] = "UTC"
    jitter: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(hours=6))] = timedelta(0)

    @model_validator(mode="after")
    def _has_one_way(self) -> Self:
        if (self.interval is None) == (self.cron is None):
            raise ValueError("give either interval or cron")
        return self

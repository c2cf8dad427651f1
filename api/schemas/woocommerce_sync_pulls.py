"""Bodies of `/api/woocommerce-sync/sync`: what to pull, and what became of one record."""

from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from api.schemas.base import Answer, as_text, example
from api.schemas.woocommerce_sync import DIGEST_ID, StoreBody

MOST_RECORDS: Final = 100_000
LARGEST_PAGE: Final = 100

_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2999, 12, 31, tzinfo=UTC)


def _within(moment: datetime) -> datetime:
    """In UTC, and neither before nor after anything a shop may have."""
    if moment.year < _FIRST.year:
        return _FIRST
    return _LAST if moment.year > _LAST.year else moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, BeforeValidator(as_text), AfterValidator(_within)]
"""A time with a zone."""

Limit = Annotated[
    int, Field(ge=1, le=MOST_RECORDS, description="How many records at most, the newest first")
]
_FORCE: Final = "The store wins over the hub, and what did not change since the last sync is read"


class PullBody(StoreBody):
    """Base of what a pull is asked with."""

    force: bool = Field(False, description=_FORCE)
    dry_run: bool = Field(False, description="Only tell what it would do, and write nothing")


class FullSyncBody(PullBody):
    """Everything, one way or both: first from the store, then to it."""

    model_config = StoreBody.model_config | example(
        {"direction": "both", "force": False, "batchSize": 100}
    )

    direction: Literal["pull", "push", "both"] = "both"
    batch_size: int = Field(
        LARGEST_PAGE, ge=1, le=LARGEST_PAGE, description="Records a page, as the store is read"
    )


_CHOSEN: Final = (
    "Left out: it is meant if no other is named true, so a body that names none means all four, "
    "but for what is switched off"
)


class BatchBody(PullBody):
    """Some entities at once. `inventory` goes to the store, the others come from it."""

    model_config = StoreBody.model_config | example(
        {
            "customers": True,
            "products": True,
            "orders": True,
            "inventory": True,
            "force": False,
            "limit": 50,
        }
    )

    customers: bool | None = Field(None, description=_CHOSEN)
    products: bool | None = Field(None, description=_CHOSEN)
    orders: bool | None = Field(None, description=_CHOSEN)
    inventory: bool | None = Field(None, description=_CHOSEN)
    limit: Limit = 50

    def means(self, name: str) -> bool:
        """Whether this one of the four is asked for."""
        said = {one: getattr(self, one) for one in ("customers", "products", "orders", "inventory")}
        return bool(said[name]) if any(said.values()) else said[name] is None

    def names(self, name: str) -> bool:
        """Whether this one is asked for by its name, and not as one of all."""
        return bool(getattr(self, name))


class CustomersPullBody(PullBody):
    """Customers to pull, the newest first."""

    model_config = StoreBody.model_config | example({"force": False, "limit": 100, "page": 1})

    limit: Limit = 100
    page: int = Field(
        1,
        ge=1,
        le=MOST_RECORDS,
        description="Where to start, in pages of `limit` records, or of 100 if it is more",
    )


Status = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-]{1,40}$",
        description="The store's own word; `all` and `any` mean every one but the trash",
    ),
]


class ProductsPullBody(PullBody):
    """Products to pull, the newest first."""

    model_config = StoreBody.model_config | example(
        {"force": False, "limit": 100, "status": "publish"}
    )

    limit: Limit = 100
    status: Status = "publish"


class OrdersPullBody(PullBody):
    """Orders to pull, the newest first."""

    model_config = StoreBody.model_config | example(
        {"force": False, "limit": 100, "status": "all", "after": "2026-01-01T00:00:00Z"}
    )

    limit: Limit = 100
    status: Status = "all"
    after: Moment | None = Field(None, description="Created at or after")


class ItemBody(PullBody):
    """One record to read again."""

    model_config = StoreBody.model_config | example({"force": False, "dryRun": False})


class PulledItemAnswer(Answer):
    """What became of one record; of a dry run, what would."""

    model_config = Answer.model_config | example(
        {
            "outcome": "updated",
            "externalId": "4711",
            "recordId": 902,
            "reason": None,
            "workflowId": DIGEST_ID,
        }
    )

    outcome: Literal["created", "updated", "unchanged", "deleted", "rejected"] = Field(
        description="`deleted`: the store does not have it any more, and so the hub"
    )
    external_id: str = Field(description="The store's id")
    record_id: int | None = Field(description="The hub's id; None: the hub has none")
    reason: str | None = Field(description="Why it was rejected")
    workflow_id: str

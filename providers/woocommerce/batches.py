"""Batch writes: many records in one request, each with its own answer.

Source: WooCommerce REST API docs (v3, batch). A failing item sits inside a 200 as
`{"id": n, "error": {…}}`, at the place of what was sent (measured on 11.0.1). Batch deletes are
for good, so none is ever sent.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from domain.errors import StoreUnavailableError
from domain.pushing import Outcome, Pushed
from providers._kit.answers import Answer, error_text
from providers.woocommerce.access import ShopAccess

_MISSING: Final = re.compile(r"_invalid_id$|term_invalid$")
# Somebody else has what must be unique. What is found by it at the next try is linked then.
_TAKEN: Final = frozenset(
    (
        *("product_invalid_sku", "term_exists", "woocommerce_rest_term_exists"),
        *("registration-error-email-exists", "woocommerce_rest_customer_invalid_email"),
    )
)
# A picture that could not be fetched, and whatever the shop calls a fault of its own.
_PASSING: Final = re.compile(r"image_upload_error|internal_server_error|db_.*error|timeout")
_SERVER_FAULT: Final = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the shop did not take an item. `holder` is who has what must be unique."""

    code: str
    message: str
    status: int = 400
    holder: str | None = None

    @property
    def is_missing(self) -> bool:
        """Whether it does not know the id (PUT answers 400 then, and 404 for categories)."""
        return _MISSING.search(self.code) is not None

    @property
    def is_taken(self) -> bool:
        """Whether SKU, name or e-mail are in use."""
        return self.code in _TAKEN

    @property
    def is_passing(self) -> bool:
        """Whether the same may be taken later."""
        return self.status >= _SERVER_FAULT or _PASSING.search(self.code) is not None

    @property
    def reason(self) -> str:
        """For people: the shop's code and its own words."""
        said = ": ".join(part for part in (self.code, self.message) if part)
        return f"The shop refuses it: {said or 'without a reason'}"


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one item: the row as the shop has it now, or why not."""

    row: Mapping[str, Any]
    refusal: Refusal | None = None


async def send_batch(
    access: ShopAccess,
    route: str,
    *,
    create: Sequence[Mapping[str, Any]] = (),
    update: Sequence[Mapping[str, Any]] = (),
) -> tuple[list[Done], list[Done]]:
    """Create and update rows of a route (`products`); the answers in the order of what was sent.

    Raises:
        StoreError: the batch as a whole did not go through.
    """
    if not create and not update:
        return [], []
    body = {"create": list(create), "update": list(update)}
    path = f"{route}/batch"
    answer = await access.write("POST", path, {name: rows for name, rows in body.items() if rows})
    made = _dones(answer, "create", len(create))
    changed = _dones(answer, "update", len(update))
    if made is None or changed is None:
        raise StoreUnavailableError(
            f"{access.describe(path, 'POST')}: the store answered for other records than were sent."
        )
    return made, changed


def _dones(answer: Any, name: str, count: int) -> list[Done] | None:
    rows = answer.get(name, []) if isinstance(answer, dict) else None
    if not isinstance(rows, list) or len(rows) != count:
        return None
    return [_done(row) for row in rows]


def _done(row: Any) -> Done:
    if not isinstance(row, dict):
        return Done({}, Refusal("", "", _SERVER_FAULT))
    error = row.get("error")
    if not isinstance(error, dict):
        return Done(row)
    code, message = error_text(Answer(400, {}, orjson.dumps(error)))
    data = error.get("data")
    data = data if isinstance(data, dict) else {}
    status, holder = data.get("status"), data.get("resource_id")
    return Done(
        row,
        Refusal(
            code,
            message,
            status if isinstance(status, int) else 400,
            str(holder) if isinstance(holder, int) and holder > 0 else None,
        ),
    )


def refused(key: str, external_id: str | None, refusal: Refusal) -> Pushed:
    """The answer for an item the shop did not take.

    What is taken by another record is tried again when it was to be created: it is looked up
    first then. Everything else that is not a passing trouble is for a person.
    """
    if external_id is not None and refusal.is_missing:
        return Pushed(key, Outcome.MISSING, external_id, reason="The shop has no such record.")
    may_pass = refusal.is_passing or (refusal.is_taken and external_id is None)
    holder = f" Record {refusal.holder} of the shop has it." if refusal.holder else ""
    return Pushed(
        key,
        Outcome.REFUSED,
        external_id,
        is_permanent=not may_pass,
        reason=f"{refusal.reason.removesuffix('.')}.{holder}",
    )

"""What a webhook would do, told as the inbox would work it off. Nothing is written, and the store
is not asked: what it would have to be asked is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from activities.stores import OpenConfig
from db import stock
from db.demands import find_linked
from db.dry_run import Foreseen, Trial, foresee
from db.local_records import load_local
from db.session import Database
from db.staging import Origin
from db.webhook_events import LinkMark, look_at_links
from domain.deliveries import Delivery, Gone, Hint, Ignored, Meaning, Notice, Told
from domain.differences import Difference, Shown, between, capped, number, values_of
from domain.entities import IMPORT_ORDER, Entity
from domain.errors import InvalidRecordError
from domain.fields import MODELS
from domain.pages import Page
from domain.records import Product, Record
from providers._kit.parts import Part, ReadsParts
from providers._kit.protocols import Webhooks

_NO_WEBHOOKS: Final = "The provider of this store understands no webhooks."
_HINT: Final = (
    "The event alone does not say how the record stands: it is not the whole record, or a deletion "
    "at no known time. Nothing of it is taken over: the record is read again from the store. The "
    "diff shows the fields that the event names."
)
_GONE_HINT: Final = (
    "It names a deletion at no known time: the store is asked, and what is gone there is deleted."
)
_WAS_DELETED: Final = "It was deleted in the hub: the store is asked whether it is there again."
_AMBIGUOUS: Final = "It says something else at the same time as before: the store is asked."
_STALE: Final = "It is older than what the hub has of this record."
_SAME: Final = "The hub has it like this already."
_UNKNOWN: Final = "The hub does not know this record, so there is nothing to delete."
_NOT_TAKEN: Final = "The store's settings take no new records of this kind in."
_HELD: Final = "Both sides changed the same fields: a person would have to decide."


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an event would do.

    Attributes:
        would_do: `created`, `updated`, `unchanged`, `deleted`, `conflict`, `reread`, `ignored` or
            `rejected`.
        fields: of the record: what would change.
        related: what else would change with it: a guest, stock.
        queued: records that would have to be pushed because of it.
        event_type: as the inbox would keep it.
    """

    would_do: str
    reason: str = ""
    entity: Entity | None = None
    external_id: str | None = None
    record_id: int | None = None
    fields: Shown = field(default_factory=dict, repr=False)
    related: Sequence[Difference] = field(default=(), repr=False)
    queued: int = 0
    event_type: str = ""


@dataclass(frozen=True, slots=True)
class WebhookTrial:
    """Tries events of one store."""

    database: Database
    opened: OpenConfig
    origin: Origin

    async def judge(self, delivery: Delivery) -> Verdict:
        """What the event would do now."""
        webhooks = self.opened.provider.webhooks
        if webhooks is None:
            return Verdict("ignored", _NO_WEBHOOKS)
        notice = webhooks.describe(delivery)
        try:
            verdict = await self._judge(webhooks, delivery, notice)
        except InvalidRecordError as error:
            verdict = Verdict("rejected", str(error), notice.entity, notice.external_id)
        except ValueError as error:
            # Its words may quote the record.
            reason = f"It cannot be written ({type(error).__name__})."
            verdict = Verdict("rejected", reason, notice.entity, notice.external_id)
        return replace(verdict, event_type=notice.event_type)

    async def _judge(self, webhooks: Webhooks, delivery: Delivery, notice: Notice) -> Verdict:
        meaning: Meaning = webhooks.read(self.opened.config, self.opened.facts, delivery)
        match meaning:
            case Ignored():
                return Verdict("ignored", meaning.reason, notice.entity, notice.external_id)
            case Hint():
                return await self._hint(webhooks, delivery, meaning)
            case Gone():
                return await self._gone(meaning)
            case Told():
                return await self._told(meaning)

    async def _told(self, told: Told) -> Verdict:
        entity, key = told.entity, told.pulled.external_id
        if entity not in IMPORT_ORDER:
            return Verdict(
                "rejected", f"The hub takes no {entity.value} by themselves.", entity, key
            )
        mark = await self._mark(entity, key)
        if mark is not None and mark.is_deleted:
            return Verdict("reread", _WAS_DELETED, entity, key)
        page: Page[Record] = Page(records=(told.pulled,))
        seen = await foresee(self.database, Trial(self.origin, entity, page, strict=True))
        if seen.applied.ambiguous:
            return Verdict("reread", _AMBIGUOUS, entity, key)
        verdict = self._of(seen, entity, key)
        if verdict is not None:
            return verdict
        if mark is None:
            return Verdict("ignored", _NOT_TAKEN, entity, key)
        version = told.pulled.version
        if version is not None and mark.version is not None and version < mark.version:
            return Verdict("ignored", _STALE, entity, key)
        return Verdict("unchanged", _SAME, entity, key, related=seen.differences)

    async def _gone(self, gone: Gone) -> Verdict:
        entity, key = gone.entity, gone.external_id
        if gone.version is None:
            return Verdict("reread", _GONE_HINT, entity, key)
        mark = await self._mark(entity, key)
        if mark is None or mark.is_deleted:
            return Verdict("unchanged", _UNKNOWN, entity, key)
        if mark.version is not None and gone.version < mark.version:
            return Verdict("ignored", _STALE, entity, key)
        page: Page[Record] = Page(tombstones=(key,))
        seen = await foresee(self.database, Trial(self.origin, entity, page))
        return self._of(seen, entity, key) or Verdict("unchanged", _SAME, entity, key)

    def _of(self, seen: Foreseen, entity: Entity, key: str) -> Verdict | None:
        """What was foreseen of the record itself; None: nothing."""
        about = [one for one in seen.differences if (one.entity, one.key) == (entity.value, key)]
        related = tuple(one for one in seen.differences if one not in about)
        for one in about:
            fields = dict(one.fields)
            why = fields.pop("reason", None)
            held = _HELD if one.action == "conflict" else ""
            return Verdict(
                one.action,
                held if why is None else str(why["to"]),
                entity,
                key,
                one.record_id,
                fields,
                related,
                seen.queued,
            )
        return None

    async def _hint(self, webhooks: Webhooks, delivery: Delivery, hint: Hint) -> Verdict:
        part: Part = {}
        if isinstance(webhooks, ReadsParts):
            part = webhooks.read_part(self.opened.config, self.opened.facts, delivery)
        record_id, known = await self._known(hint.entity, hint.external_id, part)
        fields = between({path: known.get(path) for path in part}, part)
        return Verdict("reread", _HINT, hint.entity, hint.external_id, record_id, capped(fields))

    async def _known(
        self, entity: Entity, key: str, part: Part
    ) -> tuple[int | None, Mapping[str, Any]]:
        """The hub's record as the store would have it: its id and values; also what is in stock."""
        store_id = self.origin.store_id
        async with self.database.tenant(self.origin.tenant_id) as connection:
            linked = await find_linked(connection, store_id, entity, key)
            if linked is None or linked.is_gone or entity not in MODELS:
                return None, {}
            found = await load_local(connection, store_id, entity, [linked.record_id])
            local = found[linked.record_id]
            values = values_of(local.record)
            if isinstance(local.record, Product) and any(
                one.endswith(".available") for one in part
            ):
                for one in await stock.load_targets(connection, store_id, local.variant_ids):
                    path = f"variants.{one.target.variant_external_id}.available"
                    values[path] = number(one.target.available)
        return linked.record_id, values

    async def _mark(self, entity: Entity, key: str) -> LinkMark | None:
        tenant_id = self.origin.tenant_id
        async with self.database.tenant(tenant_id) as connection:
            marks = await look_at_links(connection, tenant_id, self.origin.store_id, entity, [key])
        return marks.get(key)

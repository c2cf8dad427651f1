"""What a batch of webhooks comes to: which records to write, which to read again. Pure.

The events of one record are judged together, in the order they came in. Where they do not tell for
sure how the record stands now, the store is asked:

* a deletion without a version, because it may have been overtaken by what brought the record back;
* two contents of one version, because one of them is older and nothing says which.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from db.webhook_events import InboxEvent, Settled
from domain.deliveries import Delivery, Gone, Hint, Ignored, Meaning, Told
from domain.entities import IMPORT_ORDER, Entity
from domain.errors import InvalidRecordError
from domain.pages import Pulled
from domain.records import Record
from providers._kit.protocols import StoreConfig, StoreFacts, Webhooks

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """A record to write: its last word, the event that said it, and what the others came to."""

    pulled: Pulled[Record]
    event: InboxEvent
    others: tuple[Settled, ...] = ()

    @property
    def events(self) -> tuple[InboxEvent, ...]:
        """All events behind it, in their order."""
        every = (self.event, *(other.event for other in self.others))
        return tuple(sorted(every, key=lambda event: event.id))


@dataclass(frozen=True, slots=True)
class Removed:
    """A record to tombstone, at a version that is known."""

    version: datetime
    events: tuple[InboxEvent, ...]


@dataclass(slots=True)
class Task:
    """What there is to do for one kind of record, by external id."""

    told: dict[str, Written] = field(default_factory=dict)
    gone: dict[str, Removed] = field(default_factory=dict)
    reread: dict[str, tuple[InboxEvent, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class Sorted:
    """A batch, sorted out. `failed` are events with the reason why they cannot be understood."""

    tasks: dict[Entity, Task] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)
    failed: list[tuple[InboxEvent, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Reader:
    """How a store's webhooks are understood. `webhooks` is None for a provider that has none."""

    webhooks: Webhooks | None
    config: StoreConfig = field(repr=False)
    facts: StoreFacts

    def read(self, event: InboxEvent) -> Meaning:
        """Raises InvalidRecordError, and whatever a provider with a mistake raises."""
        if self.webhooks is None:
            return Ignored("the provider of this store understands no webhooks", is_warning=True)
        delivery = Delivery(event.route, event.headers, event.body, event.topic)
        return self.webhooks.read(self.config, self.facts, delivery)


_Said = list[tuple[InboxEvent, Meaning]]


def sort_out(reader: Reader, events: Sequence[InboxEvent]) -> Sorted:
    """Read a batch of events, in their order. Never raises for one of them."""
    batch = Sorted()
    said: dict[tuple[Entity, str], _Said] = {}
    for event in _without_repeats(events, batch):
        try:
            meaning = reader.read(event)
        except InvalidRecordError as error:
            batch.failed.append((event, str(error)))
            continue
        # A provider's mistake costs the one event that shows it, not the store's whole inbox.
        except Exception as error:  # noqa: BLE001
            _log.error(
                "webhook_not_read",
                event_id=event.id,
                topic=event.topic,
                error_type=type(error).__name__,
            )
            batch.failed.append((event, f"it could not be read ({type(error).__name__})"))
            continue
        if isinstance(meaning, Ignored):
            _ignore(event, meaning, batch)
        elif meaning.entity not in IMPORT_ORDER:
            batch.failed.append((event, f"the hub takes no {meaning.entity.value} by themselves"))
        else:
            said.setdefault((meaning.entity, _id_of(meaning)), []).append((event, meaning))
    for (entity, external_id), words in said.items():
        _conclude(batch.tasks.setdefault(entity, Task()), external_id, words)
    return batch


def _without_repeats(events: Iterable[InboxEvent], batch: Sorted) -> Iterable[InboxEvent]:
    """Leave out what only repeats the event before it of the same record: topic and body.

    Not what was said before that: a record may well return to where it was.
    """
    last: dict[tuple[str | None, str], tuple[str, str, bytes]] = {}
    for event in events:
        if event.external_id is not None:
            key, content = (event.entity, event.external_id), _content(event)
            if last.get(key) == content:
                batch.settled.append(Settled(event, "duplicate"))
                continue
            last[key] = content
        yield event


def _content(event: InboxEvent) -> tuple[str, str, bytes]:
    return event.route, event.topic, event.body


def _ignore(event: InboxEvent, meaning: Ignored, batch: Sorted) -> None:
    if meaning.is_warning:
        _log.warning("webhook_ignored", event_id=event.id, topic=event.topic, reason=meaning.reason)
    batch.settled.append(Settled(event, "ignored", meaning.reason))


def _conclude(task: Task, external_id: str, words: _Said) -> None:
    """What all that was said of one record comes to."""
    told = [(event, one.pulled) for event, one in words if isinstance(one, Told)]
    gone = [(event, one.version) for event, one in words if isinstance(one, Gone)]
    versions = [version for _, version in gone if version is not None]
    if len(told) == len(words) and (winner := _last_word(told)) is not None:
        task.told[external_id] = winner
    elif len(gone) == len(versions) == len(words):
        task.gone[external_id] = Removed(max(versions), tuple(event for event, _ in gone))
    else:
        task.reread[external_id] = tuple(event for event, _ in words)


def _last_word(told: Sequence[tuple[InboxEvent, Pulled[Record]]]) -> Written | None:
    """The newest content; None if there is no telling which that is."""
    event, newest = told[0]
    others: list[Settled] = []
    for later, pulled in told[1:]:
        match _compare(newest.version, pulled.version):
            case None if pulled != newest:
                return None
            case None:
                others.append(Settled(later, "duplicate"))
            case True:
                others.append(Settled(event, "superseded"))
                event, newest = later, pulled
            case False:
                others.append(Settled(later, "stale"))
    return Written(newest, event, tuple(others))


def _compare(held: datetime | None, given: datetime | None) -> bool | None:
    """Whether the given version is the newer one; None: that cannot be told."""
    if held is None and given is None:
        return True
    if held is None or given is None or held == given:
        return None
    return given > held


def _id_of(meaning: Told | Hint | Gone) -> str:
    return meaning.pulled.external_id if isinstance(meaning, Told) else meaning.external_id


def in_order(tasks: Mapping[Entity, Task]) -> list[tuple[Entity, Task]]:
    """Tasks, each after what its records refer to."""
    return [(entity, tasks[entity]) for entity in IMPORT_ORDER if entity in tasks]

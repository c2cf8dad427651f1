"""What a push answers: the record as the shop has it, and nothing the hub has not seen yet. Pure.

Between the hub's last look and a write, somebody may have edited the record in the shop. The answer
shows that edit too. It is left out here, so that it still counts as a change of the shop's when its
webhook comes or the record is read again; taken for agreed on, it would be lost.
"""

from dataclasses import replace

from domain.entities import Entity
from domain.fields import paths_between, value_at, variant_path
from domain.fields import replace as replace_values
from domain.pages import Page, Pulled
from domain.pushing import Outcome, Outgoing, Pushed
from domain.records import Record


def answer_for(
    entity: Entity, sent: Outgoing, external_id: str, page: Page[Record], made: frozenset[str]
) -> Pushed:
    """The answer for an item that was sent, from what was read afterwards.

    Args:
        made: the ids of variants that the push itself created.
    """
    pulled = next((one for one in page.records if one.external_id == external_id), None)
    if pulled is not None:
        told = without_strangers(entity, sent, pulled, made)
        return Pushed(sent.key, Outcome.DONE, external_id, pulled=told)
    if external_id in page.tombstones or external_id in page.skipped:
        reason = "The shop has it in its trash, or not any more."
        return Pushed(sent.key, Outcome.MISSING, external_id, reason=reason)
    fault = next((one.reason for one in page.rejected if one.external_id == external_id), "")
    reason = f"It was written, but what the shop shows of it cannot be understood: {fault}"
    return Pushed(sent.key, Outcome.REFUSED, external_id, is_permanent=True, reason=reason)


def nothing_to_say(sent: Outgoing) -> Pushed:
    """The answer where the shop has all of it already."""
    external_id = sent.external_id or ""
    pulled = Pulled(external_id, sent.base) if sent.base is not None else None
    return Pushed(sent.key, Outcome.DONE, external_id, pulled=pulled)


def without_strangers(
    entity: Entity, sent: Outgoing, pulled: Pulled[Record], made: frozenset[str] = frozenset()
) -> Pulled[Record]:
    """What the shop has, with what neither was sent nor was known before as it was known."""
    if sent.base is None or sent.record is None:
        return pulled
    told = paths_between(entity, sent.base, sent.record)
    said = paths_between(entity, sent.base, pulled.record)
    record = pulled.record
    for path, (before, now) in said.items():
        mine = told.get(path)
        was_sent = mine is not None and mine[0] != mine[1]
        key, name = variant_path(path)
        # The one variant of a simple product goes when it becomes one of several.
        is_own = key in made or (name is None and key == pulled.external_id)
        if before != now and not was_sent and not is_own:
            record = replace_values(entity, record, {path: value_at(entity, sent.base, path)})
    return pulled if record is pulled.record else replace(pulled, record=record)

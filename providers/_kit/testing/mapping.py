"""What every provider must hold of a store's own rules: they apply to whatever it reads.

A rule that finds the same in every row marks all records that went through it.
"""

from collections.abc import Callable, Iterator
from typing import Final

import httpx

from domain.deliveries import Told
from domain.entities import Entity
from domain.errors import InvalidRecordError
from domain.field_mapping import MAPPED_ENTITIES, FieldMapping, MappingRule, OnMissing
from domain.pages import Page
from domain.records import Product, Record
from providers._kit.protocols import Provider, StoreFacts
from providers._kit.testing.examples import URL, connected
from providers._kit.testing.webhooks import Samples

MARK: Final = "went_through"
MARKING: Final = FieldMapping(
    tuple(
        MappingRule(entity=entity, target=f"extra.{MARK}", expression="`true`")
        for entity in MAPPED_ENTITIES
    )
)
REFUSING: Final = FieldMapping(
    tuple(
        MappingRule(
            entity=entity,
            target=f"extra.{MARK}",
            expression="no_row_has_this",
            on_missing=OnMissing.REJECT,
        )
        for entity in MAPPED_ENTITIES
    )
)
_HOW: Final = "Call `with_mapping` (`_kit.mapped`) where a row becomes a record"


async def check_mapped_page(
    provider: Provider, answer: Callable[[httpx.Request], httpx.Response], entity: Entity
) -> None:
    """A page of records bears what rules put there, and rules that fail set records aside.

    Args:
        answer: a store with at least one record of the entity, all of them sound.
    """
    plain = await _first_page(provider, answer, entity, FieldMapping())
    assert plain.records, "The store that the check is given has no record."
    assert not any(map(_is_marked, _all(plain))), "Without rules nothing is to be marked."
    marked = await _first_page(provider, answer, entity, MARKING)
    assert len(marked.records) == len(plain.records), "Rules set aside what they do not refuse."
    assert all(map(_is_marked, _all(marked))), f"{_HOW}: {entity} of a page went past the rules."
    refused = await _first_page(provider, answer, entity, REFUSING)
    assert not refused.records, f"{_HOW}: rules that refuse {entity} were not heard."
    assert len(refused.rejected) == len(plain.records), (
        "Set a record aside (`Rejected`) when its rules raise InvalidRecordError."
    )


def check_mapped_webhooks(provider: Provider, samples: Samples) -> None:
    """A record that a webhook tells is the one a page would have."""
    webhooks = provider.webhooks
    assert webhooks is not None, "The provider has no webhooks to check."
    config = samples.fill_in(provider)
    facts = StoreFacts(store_url=URL, currency="EUR", field_mapping=MARKING)
    refusing = facts.model_copy(update={"field_mapping": REFUSING})
    for sample in samples.deliveries:
        if sample.says != "told":
            continue
        told = webhooks.read(config, facts, sample.delivery)
        assert isinstance(told, Told), f"{sample.name}: rules changed what it says."
        assert all(map(_is_marked, _parts(told.pulled.record))), (
            f"{sample.name}: {_HOW}; `facts.field_mapping` has the rules."
        )
        try:
            webhooks.read(config, refusing, sample.delivery)
        except InvalidRecordError:
            continue
        raise AssertionError(f"{sample.name}: rules that refuse it were not heard.")


async def _first_page(
    provider: Provider,
    answer: Callable[[httpx.Request], httpx.Response],
    entity: Entity,
    mapping: FieldMapping,
) -> Page[Record]:
    client, _ = connected(provider, answer, mapping)
    return await client.fetch_page(entity, 1)


def _all(page: Page[Record]) -> Iterator[Record]:
    for pulled in page.records:
        yield from _parts(pulled.record)


def _parts(record: Record) -> Iterator[Record]:
    yield record
    if isinstance(record, Product):
        yield from record.variants


def _is_marked(record: Record) -> bool:
    return bool(getattr(record, "extra", {}).get(MARK))

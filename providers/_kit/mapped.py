"""A store's own field mapping, applied where a raw row has become a record.

Every provider calls this at that one place, so that pulls, webhooks, records that are read again
and answers to pushes agree about a record.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from domain.entities import Entity
from domain.field_mapping import FieldMapping
from domain.pages import Pulled
from domain.records import Record


def with_mapping(
    mapping: FieldMapping,
    entity: Entity,
    pulled: Pulled[Record],
    row: Mapping[str, Any],
    variant_rows: Mapping[str, Mapping[str, Any]] | None = None,
) -> Pulled[Record]:
    """The record with what the store's rules put into it.

    Args:
        row: what the store sent of it, as JSON. The same record must give the same row wherever it
            is read, or it would change back and forth.
        variant_rows: the rows of a product's variants by their external ids; without them each
            variant is the product itself.

    Raises:
        InvalidRecordError: a rule fails: the record is to be set aside with this reason.
    """
    if not mapping.touches(entity):
        return pulled
    rows = variant_rows if variant_rows is not None else {pulled.external_id: row}
    record = mapping.apply(entity, pulled.record, row, rows)
    return pulled if record is pulled.record else replace(pulled, record=record)

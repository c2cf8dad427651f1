"""A store's own spelling of what it was told. Pure.

A store may keep a value otherwise than it was sent: pictures get its own addresses, slugs a number,
texts lose tags, a field it does not have stays empty. After a push the base remembers, path by
path, which of the hub's values stands behind what the store says. As long as the hub's value is
that one, neither side has changed, and nothing is sent again. The note lies in the base's `extra`,
so that it cannot outlive the base it is about.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from typing import Any, Final

from domain.entities import Entity
from domain.fields import MODELS, field_of, paths_between, replace, value_at
from domain.records import Image, Product, Record, snapshot

_NOTE: Final = "_spelling"

Spelling = Mapping[str, str]
"""A digest of the hub's value by path."""


def read_base(entity: Entity, content: Mapping[str, Any]) -> tuple[Record, Spelling]:
    """What a link's base says, and how the store spells."""
    extra = dict(content.get("extra") or {})
    note = extra.pop(_NOTE, None)
    plain = {**content, "extra": extra} if note is not None else content
    return MODELS[entity].model_validate(plain), note or {}


def write_base(said: Record, spelling: Spelling) -> bytes:
    """A base as links keep it (canonical JSON). Its digest is that of `said` alone."""
    if not spelling:
        return snapshot(said)
    extra = {**getattr(said, "extra", {}), _NOTE: dict(spelling)}
    return snapshot(said.model_copy(update={"extra": extra}))


def spell(entity: Entity, hub: Record, said: Record) -> dict[str, str]:
    """The spelling that follows from a push of `hub` which the store answered with `said`."""
    pairs = paths_between(entity, hub, said)
    return {path: digest_of(mine) for path, (mine, theirs) in pairs.items() if mine != theirs}


def spell_unkept(
    entity: Entity, hub: Record, said: Record, unkept: Collection[str]
) -> dict[str, str]:
    """The hub's values stand behind the gaps of a store that has no place for these fields."""
    if not unkept:
        return {}
    spelling = spell(entity, hub, said)
    return {path: digest for path, digest in spelling.items() if field_of(path) in unkept}


def keep_spelling(
    entity: Entity, spelling: Spelling, hub: Record, base: Record | None, said: Record
) -> dict[str, str]:
    """What of a spelling still holds once the store said something new."""
    return {
        path: digest
        for path, digest in spelling.items()
        if value_at(entity, base, path) == value_at(entity, said, path)
        and digest_of(value_at(entity, hub, path)) == digest
    }


def render(entity: Entity, hub: Record, base: Record | None, spelling: Spelling) -> Record:
    """The hub's record as the store would spell it."""
    if base is None:
        return hub
    respelled = {
        path: value_at(entity, base, path)
        for path, digest in spelling.items()
        if digest_of(value_at(entity, hub, path)) == digest
    }
    return _with_picture_ids(replace(entity, hub, respelled), base)


def digest_of(value: Any) -> str:
    """A short digest of a JSON value."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def _with_picture_ids(record: Record, base: Record) -> Record:
    """Pictures that the store has already bear its ids, so that they are not sent again."""
    if not isinstance(record, Product) or not isinstance(base, Product):
        return record
    known = {one.src: one.external_id for one in base.images}
    images = tuple(
        Image(src=one.src, external_id=known.get(one.src, ""), name=one.name, alt=one.alt)
        for one in record.images
    )
    return record.model_copy(update={"images": images})

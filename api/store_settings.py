"""The settings of a store as requests change them: laid over what is there, within what the
provider can do."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from api import problems
from api.problems import INVALID, FieldProblem, ProblemError
from domain.fields import FIELD_GROUPS
from domain.sync_settings import Direction, StoreSettings, SyncDirections
from providers._kit.protocols import Manifest

_MOST_WORD = 100
_PULL_ALL = dict.fromkeys(
    ("products", "categories", "customers", "inventory", "orderStatus"), Direction.PULL.value
)


def initial_settings(
    manifest: Manifest, settings: StoreSettings | None, directions: SyncDirections | None
) -> dict[str, Any]:
    """What a new store keeps: the provider's directions, unless the request names others.

    Raises:
        ProblemError: 422, the provider cannot do what was asked for.
    """
    usual = StoreSettings(
        sync_directions=_within(manifest.directions, manifest.supports),
        reserve_pending=manifest.reserves_pending,
    )
    return changed_settings(manifest, _dump(usual), settings, directions)


def changed_settings(
    manifest: Manifest,
    stored: Mapping[str, Any],
    settings: StoreSettings | None,
    directions: SyncDirections | None,
) -> dict[str, Any]:
    """The stored settings with those of the request over them; a direction left out stays.

    `syncDirections` beside `settings` is the same as within, and goes over it.

    Raises:
        ProblemError: 422, the provider cannot do what was asked for.
    """
    held = _dump(held_settings(stored))
    asked = {} if settings is None else _named(settings)
    within = dict(asked.pop("syncDirections", {}))
    beside = {} if directions is None else _named(directions)
    _check_directions(manifest, within, "/settings/syncDirections")
    _check_directions(manifest, beside, "/syncDirections")
    _check_texts(settings)
    ways = {**held.get("syncDirections", {}), **within, **beside}
    try:
        merged = StoreSettings.model_validate({**held, **asked, "syncDirections": ways})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        pointer = "/settings/" + "/".join(str(part) for part in first["loc"])
        raise problems.invalid(pointer, first["msg"]) from None
    return _dump(merged)


def held_settings(stored: Mapping[str, Any]) -> StoreSettings:
    """The settings as they are kept. A store that keeps no directions is only pulled from."""
    directions = stored.get("syncDirections") or _PULL_ALL
    return StoreSettings.model_validate({**stored, "syncDirections": directions})


def gains_pushes(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether a change of settings makes the store want records it did not want before."""
    held = held_settings(before).sync_directions
    wanted = held_settings(after).sync_directions
    return any(
        getattr(wanted, name).pushes and not getattr(held, name).pushes
        for name in SyncDirections.model_fields
    )


def _check_directions(manifest: Manifest, asked: Mapping[str, str], place: str) -> None:
    beyond: list[FieldProblem] = []
    for name, field in SyncDirections.model_fields.items():
        alias = field.alias or name
        if alias not in asked:
            continue
        wanted, most = Direction(asked[alias]), getattr(manifest.supports, name)
        if (wanted.pulls and not most.pulls) or (wanted.pushes and not most.pushes):
            possible = " or ".join(repr(one.value) for one in Direction if _fits(one, most))
            detail = f"{manifest.title} cannot do {wanted.value!r} here: choose {possible}."
            beyond.append(FieldProblem(pointer=f"{place}/{alias}", detail=detail))
    if beyond:
        raise ProblemError(INVALID, f"{beyond[0].pointer}: {beyond[0].detail}", errors=beyond)


def _check_texts(settings: StoreSettings | None) -> None:
    """Raises ProblemError for what no address, field or status ever matches."""
    if settings is None:
        return
    for place, network in enumerate(settings.ip_allow_list):
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            raise problems.invalid(
                f"/settings/ipAllowList/{place}",
                "An address or a network like 203.0.113.0/24 is needed.",
            ) from None
    unknown = sorted(settings.conflict_policies.keys() - FIELD_GROUPS.keys())
    if unknown:
        raise problems.invalid(
            "/settings/conflictPolicies",
            f"The groups of fields are {', '.join(FIELD_GROUPS)}: there are no others.",
        )
    words = settings.order_status_map
    if any(len(text) > _MOST_WORD for pair in words.items() for text in pair):
        raise problems.invalid(
            "/settings/orderStatusMap", f"A word has at most {_MOST_WORD} characters."
        )


def _fits(one: Direction, most: Direction) -> bool:
    return (most.pulls or not one.pulls) and (most.pushes or not one.pushes)


def _within(wanted: SyncDirections, most: SyncDirections) -> SyncDirections:
    """The provider's usual directions, without what it cannot do."""
    return SyncDirections(
        **{
            name: getattr(wanted, name)
            if _fits(getattr(wanted, name), getattr(most, name))
            else getattr(most, name)
            for name in SyncDirections.model_fields
        }
    )


def _dump(model: StoreSettings | SyncDirections) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True)


def _named(model: StoreSettings | SyncDirections) -> dict[str, Any]:
    """What the request itself said, without defaults."""
    return model.model_dump(mode="json", by_alias=True, exclude_unset=True)

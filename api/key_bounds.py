"""What a caller may make of keys: none that goes beyond themselves, and no past brought back."""

from datetime import datetime

from api.auth import Principal
from api.config import ApiConfig
from api.problems import CONFLICT, FORBIDDEN, ProblemError
from db.audit import ActorKind
from db.keys import KeySummary, NewKey
from domain.key_reach import Reach, beyond


def refuse_wider(principal: Principal, wanted: KeySummary | NewKey, config: ApiConfig) -> None:
    """Nobody comes to more by way of a key that they make, change or renew.

    A person has no addresses, end or limit that would bind them: their permissions do. A key
    without a limit of its own has the usual one.

    Raises:
        ProblemError: 403.
    """
    lacking = beyond(
        Reach(
            frozenset(wanted.permissions),
            tuple(wanted.ip_allow_list),
            wanted.expires_at,
            wanted.requests_per_minute or config.requests_per_minute,
        ),
        _own(principal, config),
    )
    if lacking:
        raise ProblemError(
            FORBIDDEN,
            f"The caller lacks what the key has or would have: {', '.join(lacking)}. Nobody can "
            "give, change or renew what goes beyond their own: ask who may.",
        )


def _own(principal: Principal, config: ApiConfig) -> Reach:
    if principal.actor.kind is ActorKind.USER:
        return Reach(principal.permissions)
    return Reach(
        principal.permissions,
        principal.ip_allow_list,
        principal.expires_at,
        principal.requests_per_minute or config.requests_per_minute,
    )


def refuse_later_end(held: KeySummary, ends_at: datetime | None, successor: int | None) -> None:
    """A key that was rotated ends with its overlap. Raises ProblemError (409)."""
    if successor is None or held.expires_at is None:
        return
    if ends_at is None or ends_at > held.expires_at:
        raise ProblemError(
            CONFLICT,
            f"Key {held.id} was rotated: key {successor} took its place, and its end can only be "
            f"moved forward. Use key {successor}, rotate that one, or make a new key.",
        )

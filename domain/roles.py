"""The roles of people, and what each may do."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a person is to the tenant."""

    OWNER = "owner"
    OPERATOR = "operator"
    VIEWER = "viewer"


_SEEN_BY_ALL = frozenset({"stores:read", "syncs:read", "records:read"})

PERMISSIONS_OF: Mapping[Role, frozenset[str]] = MappingProxyType(
    {
        Role.OWNER: frozenset({"*"}),
        Role.OPERATOR: _SEEN_BY_ALL | {"stores:write", "syncs:write", "records:write", "keys:read"},
        Role.VIEWER: _SEEN_BY_ALL,
    }
)
"""The permissions of API keys, in their words: who runs the shops makes no keys, and who looks
changes nothing."""


def permissions_of(role: str) -> frozenset[str]:
    """What a role may do; nothing for a role that this version does not know."""
    return PERMISSIONS_OF[Role(role)] if role in set(Role) else frozenset()

"""Bodies of `/api/keys`."""

from datetime import UTC, date, datetime
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, StringConstraints

from api.schemas.base import Answer, Body, Moment, UtcTime, example
from api.schemas.stores import Name
from api.schemas.writing import PatchBody
from db.keys import MOST_NETWORKS, MOST_PER_MINUTE, Permission
from domain.ip_allow_list import read_network

LONGEST_OVERLAP_H = 720
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)


def _ahead(moment: datetime) -> datetime:
    if moment <= datetime.now(UTC):
        raise ValueError("is in the past: DELETE ends a key now")
    if moment >= _NEVER:
        raise ValueError("is too far ahead: leave it out for a key that does not expire")
    return moment


ExpiresAt = Annotated[
    Moment,
    AfterValidator(_ahead),
    Field(description="From then on the key opens nothing; null or left out: never"),
]
IpAllowList = Annotated[
    list[Annotated[str, StringConstraints(max_length=64), AfterValidator(read_network)]],
    Field(
        max_length=MOST_NETWORKS,
        description="Addresses and networks it may be used from; empty: any",
    ),
]
PerMinute = Annotated[
    int, Field(ge=1, le=MOST_PER_MINUTE, description="Its own limit; null: the usual one")
]
KeyType = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=20, pattern=r"^[\w. -]+$"),
    Field(description="A word of your own; it changes nothing"),
]

_KEY: dict[str, Any] = {
    "id": 7,
    "name": "Shop floor",
    "type": "external",
    "key": "ek_8Qw2zLk0p4Vt1sYb7uNc3xRd",
    "permissions": ["stores:read", "records:read"],
    "ipAllowList": ["203.0.113.0/24"],
    "requestsPerMinute": 120,
    "rotatedFrom": None,
    "createdAt": "2026-11-21T09:30:00Z",
    "expiresAt": "2027-11-21T00:00:00Z",
    "revokedAt": None,
    "lastUsedAt": "2026-11-21T09:41:07Z",
}


class CreateKeyBody(Body):
    """A key to make. It can be given nothing that the caller lacks."""

    model_config = Body.model_config | example(
        {
            "name": "Shop floor",
            "permissions": ["stores:read", "records:read"],
            "ipAllowList": ["203.0.113.0/24"],
            "requestsPerMinute": 120,
        }
    )

    name: Name
    type: KeyType = "external"
    permissions: Annotated[
        list[Permission], Field(min_length=1, max_length=50, description="`*` is all")
    ]
    expires_at: ExpiresAt | None = None
    ip_allow_list: IpAllowList = Field(default_factory=list)
    requests_per_minute: PerMinute | None = None


class ChangeKeyBody(PatchBody):
    """What to change; what is left out stays. For other permissions make another key."""

    model_config = Body.model_config | example({"ipAllowList": ["203.0.113.7", "2001:db8::/32"]})

    nullable: ClassVar[frozenset[str]] = frozenset({"expires_at", "requests_per_minute"})

    name: Name = Field(default_factory=str)
    expires_at: ExpiresAt | None = None
    ip_allow_list: IpAllowList = Field(default_factory=list)
    requests_per_minute: PerMinute | None = None


class RotateKeyBody(Body):
    """How one key takes the place of another."""

    model_config = Body.model_config | example({"overlapHours": 24})

    overlap_hours: Annotated[
        float,
        Field(
            ge=0,
            le=LONGEST_OVERLAP_H,
            allow_inf_nan=False,
            description="How long the old key works beside the new one",
        ),
    ] = 24
    expires_at: ExpiresAt | None = Field(
        default=None, description="Of the new key; left out: when the old one would have expired"
    )


class KeyAnswer(Answer):
    """A key without its secret, of which only a digest is kept."""

    model_config = Answer.model_config | example(_KEY)

    id: int
    name: str
    type: str
    key: str = Field(description="The public half, for X-API-Key")
    permissions: list[str]
    ip_allow_list: list[str]
    requests_per_minute: int | None
    rotated_from: int | None = Field(description="The key whose place it took")
    created_at: UtcTime
    expires_at: UtcTime | None
    revoked_at: UtcTime | None
    last_used_at: UtcTime | None = Field(description="Some seconds behind")


class MadeKeyAnswer(KeyAnswer):
    """A key that was just made."""

    model_config = Answer.model_config | example(
        {**_KEY, "lastUsedAt": None, "secret": "es_3vQ0m8yT5nW9cX2zL4pR6sD0fH1jK7aEuIoT"}
    )

    secret: str = Field(repr=False, description="For X-API-Secret; shown now and never again")


class RotatedKeyAnswer(MadeKeyAnswer):
    """The new key, and until when the old one works."""

    model_config = Answer.model_config | example(
        {
            **_KEY,
            "id": 8,
            "rotatedFrom": 7,
            "lastUsedAt": None,
            "secret": "es_3vQ0m8yT5nW9cX2zL4pR6sD0fH1jK7aEuIoT",
            "oldKeyEndsAt": "2026-11-22T09:30:00Z",
        }
    )

    old_key_ends_at: UtcTime


class KeyListAnswer(Answer):
    """A page of keys."""

    model_config = Answer.model_config | example({"data": [_KEY], "nextCursor": None})

    data: list[KeyAnswer]
    next_cursor: str | None


class UsedDayAnswer(Answer):
    """Requests on one day (UTC)."""

    day: date
    requests: int
    refused: int = Field(description="Answered with 4xx")
    failed: int = Field(description="Answered with 5xx")


class KeyUsageAnswer(Answer):
    """How much a key was used."""

    model_config = Answer.model_config | example(
        {
            "keyId": 7,
            "lastUsedAt": "2026-11-21T09:41:07Z",
            "requests": 1840,
            "refused": 12,
            "failed": 0,
            "days": [{"day": "2026-11-21", "requests": 1840, "refused": 12, "failed": 0}],
        }
    )

    key_id: int
    last_used_at: UtcTime | None
    requests: int
    refused: int
    failed: int
    days: list[UsedDayAnswer] = Field(description="Days with requests, the newest first")

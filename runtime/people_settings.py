"""The settings of people who log in: the part of `runtime.settings` that is about them."""

from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings

_DAY_S = 86_400
_NAME = "entrepot"

Failures = Annotated[int, Field(ge=1, le=1_000_000)]


class PeopleSettings(BaseSettings):
    """How people stay logged in, and how often they may fail to.

    Attributes:
        token_issuer: what access tokens name as their maker; the public URL unless told.
        token_audience: what they name as the one they are for. Where several hubs share a name,
            give each its own; processes of one hub have to agree on both.
        access_token_s: seconds that an access token is good for.
        refresh_token_s: seconds that a login lasts when nobody uses it.
        session_s: seconds that a login lasts at most, however much it is used.
        signing_key_s: seconds that a tenant's key signs tokens, before the next one does.
        failed_logins_per_account: logins of one account that may fail from one address within
            `throttle_s`, and five times as many from all addresses together.
        failed_logins_per_address: logins of any account that may fail from one address.
        failed_keys: refused keys and tokens per address, and per key.
        throttle_s: the time in which these are counted, in seconds.
    """

    token_issuer: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    token_audience: Annotated[str, Field(min_length=1, max_length=200)] = _NAME
    access_token_s: Annotated[int, Field(ge=10, le=_DAY_S)] = 900
    refresh_token_s: Annotated[int, Field(ge=60, le=365 * _DAY_S)] = 30 * _DAY_S
    session_s: Annotated[int, Field(ge=60, le=3650 * _DAY_S)] = 90 * _DAY_S
    signing_key_s: Annotated[int, Field(ge=60, le=365 * _DAY_S)] = 7 * _DAY_S
    failed_logins_per_account: Failures = 10
    failed_logins_per_address: Failures = 50
    failed_keys: Failures = 60
    throttle_s: Annotated[int, Field(ge=1, le=_DAY_S)] = 900

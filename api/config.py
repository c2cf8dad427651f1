"""What the API is told at its start."""

from pydantic import BaseModel, ConfigDict, Field

from workflows.models import LADDER_S

_NAME = "entrepot"


class PeopleConfig(BaseModel):
    """How people stay logged in, and how often they may fail to.

    Attributes:
        token_issuer, token_audience: who makes access tokens, and for whom; others are refused.
        access_token_s: how long an access token is good.
        refresh_token_s: how long a login lasts when nobody uses it.
        session_s: how long it lasts at most.
        signing_key_s: for how long a tenant's key signs before the next one does.
        failed_logins_per_account: from one address; five times as many from all of them together.
        failed_keys: keys and tokens that are refused, per address and per key.
        throttle_s: the time in which failures are counted.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    token_issuer: str = _NAME
    token_audience: str = _NAME
    access_token_s: int = Field(default=900, ge=1)
    refresh_token_s: int = Field(default=30 * 86_400, ge=1)
    session_s: int = Field(default=90 * 86_400, ge=1)
    signing_key_s: int = Field(default=7 * 86_400, ge=1)
    failed_logins_per_account: int = Field(default=10, ge=1)
    failed_logins_per_address: int = Field(default=50, ge=1)
    failed_keys: int = Field(default=60, ge=1)
    throttle_s: int = Field(default=900, ge=1)


class ApiConfig(BaseModel):
    """Settings of the API.

    Attributes:
        public_url: where shops reach us; None when they cannot.
        temporal_ui_url: where people look at workflows; None when there is no such page.
        ladder_s: seconds before each try of a store that is down, handed to imports.
        shops_are_near: whether shops may lie in the same private network as we do.
        check_timeout_s: how long a request waits for credentials to be tried.
        check_expires_s: how long credentials on trial are kept at most.
        body_timeout_s: how long a client may take to send its body.
        people: those who log in.
        requests_per_minute: of a key that has no limit of its own, of a person, and of an address
            where nobody has to be known.
        cache_records_s: how long answers about records, stores and providers are kept; 0 keeps
            none. They are never out of date, however long they are kept.
        cache_analytics_s, cache_status_s, cache_connection_s: how old those answers may be.
        default_store_url: of the shop that the environment defines, a store of the default tenant.
        default_tenant: the name or public id of that tenant; None: the only one there is.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    public_url: str | None = None
    temporal_ui_url: str | None = None
    namespace: str = "default"
    environment: str = "development"
    version: str = "0.1.0"
    ladder_s: tuple[float, ...] = LADDER_S
    request_limit_bytes: int = Field(default=1_048_576, ge=1_024)
    webhook_limit_bytes: int = Field(default=5 * 1_048_576, ge=1_024)
    shops_are_near: bool = False
    check_timeout_s: float = Field(default=20.0, gt=0)
    check_expires_s: float = Field(default=900.0, gt=0)
    body_timeout_s: float = Field(default=30.0, gt=0)
    people: PeopleConfig = PeopleConfig()
    requests_per_minute: int = Field(default=600, ge=1)
    cache_records_s: float = Field(default=300.0, ge=0)
    cache_analytics_s: float = Field(default=60.0, ge=0)
    cache_status_s: float = Field(default=10.0, ge=0)
    cache_connection_s: float = Field(default=60.0, ge=0)
    default_store_url: str | None = None
    default_tenant: str | None = None

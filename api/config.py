"""What the API is told at its start."""

from pydantic import BaseModel, ConfigDict, Field

from workflows.models import LADDER_S


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

"""Bodies of `/api/stores/connect`."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from api.schemas.base import Answer, Body, UtcTime, example
from api.schemas.stores import Code, Directions, Form, Name, Settings
from providers._kit.store_url import normalise_store_url

_START: dict[str, Any] = {
    "name": "My EasyOrder store",
    "code": "easyorder-main",
    "config": {"storeUrl": "https://store.example/store/mine", "currency": "EGP"},
    "sync": True,
}

Address = Annotated[str, Field(max_length=500), AfterValidator(normalise_store_url)]


class StartConnectBody(Body):
    """A store to connect by opening a link in it."""

    model_config = Body.model_config | example(_START)

    name: Name
    code: Code
    config: Form = Field(
        description="The provider's connection form without the keys that the link brings"
    )
    settings: Settings = None
    sync_directions: Directions = None
    sync: bool = Field(default=False, description="Start the first import once it is connected")
    redirect_url: Address | None = Field(
        default=None, description="Where the person is sent after consenting, without a query"
    )


class StartConnectAnswer(Answer):
    """The link to open."""

    model_config = Answer.model_config | example(
        {
            "installUrl": "https://app.easy-orders.net/#/install-app?app_name=Entrepot&…",
            "expiresAt": "2026-11-21T10:30:00Z",
            "reachable": True,
            "unreachableReason": None,
        }
    )

    install_url: str = Field(description="To be opened by the shop's owner, once")
    expires_at: UtcTime
    reachable: bool = Field(description="Whether the shop can bring the key here")
    unreachable_reason: str | None


class ConnectedAnswer(Answer):
    """What the page that brought the key is told."""

    connected: bool
    message: str

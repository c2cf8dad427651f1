"""Connecting by a link: the shop's owner opens it and consents, and the shop brings a key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """What an install link has to say.

    Attributes:
        callback_url: where the key is to be brought; it carries a one-time token.
        new_order_url, order_status_url: where the store's webhooks are to go.
        redirect_url: where the person is sent afterwards; empty: nowhere.
    """

    app_name: str
    app_description: str
    callback_url: str
    new_order_url: str
    order_status_url: str
    redirect_url: str = ""


@runtime_checkable
class InstallsByLink(Protocol):
    """A provider (not a client) whose keys are given by opening a link and consenting there."""

    @property
    def install_origin(self) -> str:
        """The web origin whose browser page brings the key, for CORS."""
        ...

    def install_url(self, request: InstallRequest) -> str:
        """The link to open."""
        ...

    def read_callback(self, body: bytes) -> Mapping[str, Any]:
        """The fields of the connection form that a callback delivers, by their names in JSON.

        Nothing of it is proven: the key has to be tried. Raises InvalidRecordError.
        """
        ...

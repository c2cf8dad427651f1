"""The EasyOrders provider."""

from collections.abc import Mapping
from typing import Any

from domain.field_mapping import NO_MAPPING
from providers._kit.install_links import InstallRequest
from providers._kit.protocols import (
    HttpSession,
    Manifest,
    StoreConfig,
    StoreFacts,
    Webhooks,
)
from providers.easyorder import install
from providers.easyorder.client import EasyOrderClient
from providers.easyorder.config import EasyOrderConfig
from providers.easyorder.manifest import MANIFEST
from providers.easyorder.webhooks import EasyOrderWebhooks


class EasyOrderProvider:
    """EasyOrders stores."""

    @property
    def manifest(self) -> Manifest:
        """What it is and can do."""
        return MANIFEST

    @property
    def webhooks(self) -> Webhooks | None:
        """How its webhooks are read."""
        return EasyOrderWebhooks()

    @property
    def config_model(self) -> type[EasyOrderConfig]:
        """The connection form."""
        return EasyOrderConfig

    @property
    def install_origin(self) -> str:
        """Where the browser that brings a key comes from."""
        return install.ORIGIN

    def install_url(self, request: InstallRequest) -> str:
        """The link by which a seller gives us a key."""
        return install.install_url(request)

    def read_callback(self, body: bytes) -> Mapping[str, Any]:
        """The form's fields that a callback delivers. Raises InvalidRecordError."""
        return install.read_callback(body)

    def connect(
        self, config: StoreConfig, facts: StoreFacts | None, session: HttpSession
    ) -> EasyOrderClient:
        """A client for one store.

        Raises:
            TypeError: the config is another provider's.
        """
        if not isinstance(config, EasyOrderConfig):
            raise TypeError("an EasyOrder store needs an EasyOrderConfig")
        mapping = facts.field_mapping if facts is not None else NO_MAPPING
        return EasyOrderClient(config, session, mapping)

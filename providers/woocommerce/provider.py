"""The WooCommerce provider."""

from typing import Final

from providers._kit.protocols import HttpSession, Manifest, StoreConfig, StoreFacts, Webhooks
from providers.woocommerce.client import WooCommerceClient
from providers.woocommerce.config import WooCommerceConfig
from providers.woocommerce.manifest import MANIFEST
from providers.woocommerce.webhooks import WooCommerceWebhooks

_WEBHOOKS: Final = WooCommerceWebhooks()


class WooCommerceProvider:
    """WooCommerce shops."""

    @property
    def manifest(self) -> Manifest:
        """What it is and can do."""
        return MANIFEST

    @property
    def webhooks(self) -> Webhooks | None:
        """How its webhooks are read."""
        return _WEBHOOKS

    @property
    def config_model(self) -> type[WooCommerceConfig]:
        """The connection form."""
        return WooCommerceConfig

    def connect(
        self, config: StoreConfig, facts: StoreFacts | None, session: HttpSession
    ) -> WooCommerceClient:
        """A client for one shop.

        Raises:
            TypeError: the config is another provider's.
        """
        if not isinstance(config, WooCommerceConfig):
            raise TypeError("a WooCommerce shop needs a WooCommerceConfig")
        return WooCommerceClient(config, facts, session)

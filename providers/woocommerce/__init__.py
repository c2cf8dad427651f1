"""WooCommerce, over its REST API v3."""

from providers.woocommerce.provider import WooCommerceProvider

PROVIDER = WooCommerceProvider()

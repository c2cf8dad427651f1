"""EasyOrders (easy-orders.net), over its public API for external apps."""

from providers.easyorder.provider import EasyOrderProvider

PROVIDER = EasyOrderProvider()

"""The kinds of records the hub keeps, and the order in which they depend on each other."""

from enum import StrEnum


class Entity(StrEnum):
    """A kind of record. The value is its word in SQL, JSON, workflow ids and search attributes."""

    CATEGORIES = "categories"
    PRODUCTS = "products"
    VARIANTS = "variants"
    INVENTORY = "inventory"
    CUSTOMERS = "customers"
    ORDERS = "orders"


IMPORT_ORDER: tuple[Entity, ...] = (
    Entity.CATEGORIES,
    Entity.PRODUCTS,
    Entity.CUSTOMERS,
    Entity.ORDERS,
)
"""What can be pulled on its own, each after what it refers to. Variants come with their product."""

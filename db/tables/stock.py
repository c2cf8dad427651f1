"""What a store believes of stock, what orders hold of it, and the invoices that take it out."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from db.tables.base import (
    METADATA,
    QUANTITY,
    TIME,
    created_at,
    reference,
    tenant_reference,
    tenant_table,
    updated_at,
)

STORE_LEVELS = Table(
    "store_levels",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("store_id", BigInteger, nullable=False),
    Column("variant_id", BigInteger, nullable=False),
    Column("agreed", QUANTITY, nullable=False),
    Column("unexplained", QUANTITY, nullable=False, server_default=text("0")),
    Column("pushing", QUANTITY),
    Column("told_at", TIME),
    Column("told_version", TIME),
    updated_at(),
    PrimaryKeyConstraint("tenant_id", "store_id", "variant_id"),
)
"""What the hub knows a store to show. `unexplained` is what the store's number moved by itself and
no order of it has accounted for yet (negative: sold or taken out there), `told_at` when it last
did. `pushing` is a number that was sent to the store and may have arrived. `told_version` is
the store's own modification time of the last number heard or written; null where it has none."""

RESERVATIONS = Table(
    "reservations",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("order_id", BigInteger, nullable=False),
    Column("variant_id", BigInteger, nullable=False),
    Column("warehouse_id", BigInteger, nullable=False),
    Column("quantity", QUANTITY, nullable=False),
    Column("reserved", QUANTITY, nullable=False),
    Column("status", String(20), nullable=False),
    created_at(),
    updated_at(),
    PrimaryKeyConstraint("tenant_id", "order_id", "variant_id"),
    reference("order_id", "orders"),
    Index("ix_reservations_variant", "variant_id", "tenant_id"),
)
"""What an order holds of a variant: `held`, `released` (cancelled) or `consumed` (sent). What was
ordered beyond the stock is `quantity - reserved`, and makes the order oversold."""

INVOICES = tenant_table(
    "invoices",
    Column("number", String(64), nullable=False),
    Column("warehouse_id", BigInteger, nullable=False),
    Column("note", Text, nullable=False, server_default=text("''")),
    created_at(),
    UniqueConstraint("tenant_id", "number"),
    reference("warehouse_id", "warehouses"),
    tenant_reference(),
)

INVOICE_LINES = Table(
    "invoice_lines",
    METADATA,
    Column("tenant_id", BigInteger, nullable=False),
    Column("invoice_id", BigInteger, nullable=False),
    Column("variant_id", BigInteger, nullable=False),
    Column("quantity", QUANTITY, nullable=False),
    PrimaryKeyConstraint("tenant_id", "invoice_id", "variant_id"),
    reference("invoice_id", "invoices"),
    reference("variant_id", "product_variants"),
)

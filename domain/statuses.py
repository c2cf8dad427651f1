"""The canonical statuses. What a store says beyond them is kept beside them as `raw_status`."""

from enum import StrEnum


class OrderStatus(StrEnum):
    """Where an order is. `UNKNOWN` is a status the provider has no mapping for."""

    PENDING = "pending"
    PROCESSING = "processing"
    ON_HOLD = "on_hold"
    SHIPPED = "shipped"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"
    FAILED = "failed"
    UNKNOWN = "unknown"


class ProductStatus(StrEnum):
    """Whether a product is for sale, in preparation, or kept from sight."""

    ACTIVE = "active"
    DRAFT = "draft"
    HIDDEN = "hidden"
    UNKNOWN = "unknown"


class SyncStatus(StrEnum):
    """State of a store, a run or a log row, in the store document's words (plus `cancelled`)."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    SUCCESS = "success"
    FAILED = "failed"
    CANCELLED = "cancelled"

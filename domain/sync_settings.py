"""How a store takes part in syncing: which way its records go, and who wins a conflict."""

from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field

from domain.documents import Document
from domain.entities import Entity


class Direction(StrEnum):
    """Which way a kind of record goes: `PULL` from the store, `PUSH` to it, both, or neither."""

    PULL = "pull"
    PUSH = "push"
    BOTH = "both"
    OFF = "off"

    @property
    def pulls(self) -> bool:
        """Whether what the store says is taken in."""
        return self in (Direction.PULL, Direction.BOTH)

    @property
    def pushes(self) -> bool:
        """Whether what changes in the hub is sent to the store."""
        return self in (Direction.PUSH, Direction.BOTH)


class ConflictPolicy(StrEnum):
    """Who wins where both sides changed the same field differently.

    `LATEST`: the side that was changed last. `MERGE`: like `LATEST`, but lists and texts that one
    side only added to are joined. `MANUAL`: both sides are held until a person decides.
    """

    LOCAL = "local"
    REMOTE = "remote"
    LATEST = "latest"
    MERGE = "merge"
    MANUAL = "manual"


class StockSource(StrEnum):
    """What a store shows of stock: the level of the warehouse it sells from, or all together."""

    WAREHOUSE = "warehouse"
    SUM = "sum"


class SyncDirections(Document):
    """One direction per kind of record. Orders always come in; `order_status` is the way back."""

    products: Direction = Direction.BOTH
    categories: Direction = Direction.BOTH
    customers: Direction = Direction.PULL
    inventory: Direction = Direction.BOTH
    order_status: Direction = Direction.BOTH

    def of(self, entity: Entity) -> Direction:
        """The direction of an entity; variants go with their product."""
        return {
            Entity.PRODUCTS: self.products,
            Entity.VARIANTS: self.products,
            Entity.CATEGORIES: self.categories,
            Entity.CUSTOMERS: self.customers,
            Entity.INVENTORY: self.inventory,
            Entity.ORDERS: self.order_status,
        }[entity]


class StoreSettings(Document):
    """The settings of a store beside its connection, as kept in `stores.settings`.

    Attributes:
        conflict_policies: by field group (`domain.fields.FIELD_GROUPS`), over `conflict_policy`.
        push_imported: whether an import of another store is sent to this one.
        reserve_pending: whether an order that is still pending holds stock, as where buyers pay on
            delivery and the store counts its stock down at once.
        restocks_cancelled: whether the store itself puts back the stock of an order that is
            cancelled; where it does not, the hub writes the number.
        stock_warehouse: the code of the warehouse the store sells from: its orders reserve there,
            and its own numbers move that one's levels; None: the default warehouse.
        stock_source: what it is told to show.
        ip_allow_list: addresses or networks webhooks may come from; empty: any.
        max_delete_share: a reconcile that would delete more than this share stops and alerts.
        order_status_map: canonical status to the store's own word, over the provider's.
    """

    sync_directions: SyncDirections = SyncDirections()
    conflict_policy: ConflictPolicy = ConflictPolicy.LATEST
    conflict_policies: dict[str, ConflictPolicy] = Field(default_factory=dict, max_length=20)
    push_imported: bool = False
    reserve_pending: bool = False
    restocks_cancelled: bool = True
    stock_warehouse: Annotated[str, Field(min_length=1, max_length=50)] | None = None
    stock_source: StockSource = StockSource.SUM
    ip_allow_list: tuple[Annotated[str, Field(max_length=64)], ...] = Field((), max_length=100)
    max_delete_share: Annotated[float, Field(gt=0, le=1)] = 0.2
    order_status_map: dict[str, str] = Field(default_factory=dict, max_length=50)


PUSHED: Final = (
    Entity.CATEGORIES,
    Entity.PRODUCTS,
    Entity.CUSTOMERS,
    Entity.INVENTORY,
    Entity.ORDERS,
)
"""What can be sent to a store, each after what it refers to. `INVENTORY` counts by variant, of
`ORDERS` only the status is sent."""

"""A tenant with two stores, a shop in memory behind one of them, and its push lane."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.lanes import LaneRef, Turn, TurnLostError
from activities.push import PushTake
from activities.stores import OpenStore
from db.apply import Applied
from db.initial_push import enqueue_catalogue
from db.session import Database
from domain.entities import Entity
from domain.lanes import LaneKind
from domain.pages import Pulled
from domain.pushing import Outcome, Outgoing, Pushed, Wanted, own_key
from domain.records import Category, Customer, Product, Record
from domain.statuses import ProductStatus
from domain.sync_settings import Direction, StoreSettings, SyncDirections
from providers._kit.protocols import Manifest, StoreClient
from tests.db.room import Room, Rows, new_room, new_store

LADDER_S = (0, 300, 900)
NOW = datetime(2046, 6, 1, 12, tzinfo=UTC)
EVERYTHING = SyncDirections(
    **dict.fromkeys(("products", "categories", "customers", "inventory", "order_status"), "both")
)


@dataclass
class MemoryShop:
    """A store that can be written to.

    Attributes:
        says_no: the answer to give for an item instead of doing it, by our key.
        trouble: raised by the next push, before or (with `after`) behind its work.
        meanwhile, overtaking: happens before the work, and behind it before the answer.
        requests: what was pushed, per call.
    """

    records: dict[Entity, dict[str, Record]] = field(default_factory=dict)
    says_no: dict[str, Pushed] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    trouble: list[tuple[Exception, bool]] = field(default_factory=list)
    requests: list[tuple[Outgoing, ...]] = field(default_factory=list)
    lookups: list[tuple[Wanted, ...]] = field(default_factory=list)
    meanwhile: Callable[[], Any] | None = None
    overtaking: Callable[[], Any] | None = None
    seconds: int = 0
    next_id: int = 100

    def table(self, entity: Entity) -> dict[str, Record]:
        return self.records.setdefault(entity, {})

    async def push(self, entity: Entity, items: Sequence[Outgoing]) -> Sequence[Pushed]:
        self.requests.append(tuple(items))
        error, after = self.trouble.pop(0) if self.trouble else (None, False)
        if error is not None and not after:
            raise error
        if self.meanwhile is not None:
            await self.meanwhile()
        answers = [self.says_no.get(one.key) or self._do(entity, one) for one in items]
        if self.overtaking is not None:
            await self.overtaking()
        if error is not None:
            raise error
        return answers

    def _do(self, entity: Entity, item: Outgoing) -> Pushed:
        table = self.table(entity)
        if item.external_id is not None and item.external_id not in table:
            return Pushed(item.key, Outcome.MISSING, reason="no such id")
        key = item.external_id or self._new_id()
        record = item.record
        if record is None:
            record = table[key].model_copy(update={"status": ProductStatus.HIDDEN})
        if isinstance(record, Product):
            variants = tuple(
                one if one.external_id else one.model_copy(update={"external_id": self._new_id()})
                for one in record.variants
            )
            record = record.model_copy(update={"variants": variants})
        table[key], self.keys[item.key] = record, key
        return Pushed(item.key, Outcome.DONE, key, self.pulled(entity, key))

    def pulled(self, entity: Entity, key: str) -> Pulled[Record]:
        """The record as the shop would send it, as new as anything it has said."""
        self.seconds += 1
        version = datetime(2026, 6, 1, tzinfo=UTC) + timedelta(seconds=self.seconds)
        return Pulled(key, self.table(entity)[key], version)

    async def find(self, wanted: Sequence[Wanted]) -> Mapping[str, Pulled[Record]]:
        self.lookups.append(tuple(wanted))
        return {
            one.key: self.pulled(one.entity, key)
            for one in wanted
            for key in [self._match(one)]
            if key is not None
        }

    def _match(self, one: Wanted) -> str | None:
        known = self.keys.get(one.key)
        if known in self.table(one.entity):
            return known
        for key, record in self.table(one.entity).items():
            match record:
                case Product() if {v.sku for v in record.variants if v.sku} & set(one.skus):
                    return key
                case Category() if record.slug == one.slug:
                    return key
                case Customer() if record.email == one.email:
                    return key
        return None

    def _new_id(self) -> str:
        self.next_id += 1
        return str(self.next_id)


@dataclass
class Lane:
    """The waker and the turns: what was woken, and whether the turn is still ours."""

    woken: list[tuple[LaneKind, int]] = field(default_factory=list)
    is_lost: bool = False

    async def wake(self, tenant_id: int, kind: LaneKind, key: int) -> None:
        assert tenant_id
        self.woken.append((kind, key))


@dataclass(frozen=True, slots=True)
class FakeTurn(Turn):
    lost: Callable[[], bool]

    async def confirm(self, connection: AsyncConnection) -> None:
        assert connection.in_transaction()
        if self.lost():
            raise TurnLostError


@dataclass
class Opener:
    """Opens the shop in memory."""

    shop: object
    manifest: Manifest
    settings: StoreSettings = field(
        default_factory=lambda: StoreSettings(sync_directions=EVERYTHING)
    )

    opened_inactive: bool = False

    async def open(
        self, tenant_id: int, store_id: int, *, even_inactive: bool = False
    ) -> OpenStore:
        assert tenant_id
        assert store_id
        self.opened_inactive = even_inactive
        return OpenStore(cast("StoreClient", self.shop), self.manifest, self.settings)


def manifest(**changes: Any) -> Manifest:
    values: dict[str, Any] = {
        "slug": "memory",
        "title": "Memory shop",
        "entities": (Entity.PRODUCTS,),
        "tracks_changes": frozenset(),
        "page_size": 10,
        "instructions": "",
        "supports": EVERYTHING,
        "push_sizes": dict.fromkeys(Entity, 10),
    }
    return Manifest(**(values | changes))


@dataclass
class PushRoom:
    """`home` is where records come from, `away` the store they are pushed to."""

    home: Room
    away: Room
    shop: MemoryShop
    lane: Lane
    opener: Opener

    @property
    def take(self) -> PushTake:
        return PushTake(self.home.database, self.opener, self.lane)

    def turn(self, after_s: float = 0, store: Room | None = None) -> FakeTurn:
        room = store or self.away
        ref = LaneRef(tenant_id=room.tenant_id, kind=LaneKind.PUSH, key=room.store_id)
        now = NOW + timedelta(seconds=after_s)
        return FakeTurn(ref, 1, now, LADDER_S, lambda: self.lane.is_lost)

    async def drain(self, after_s: float = 0, *, at_most: int = 20) -> int:
        """Take until nothing is due, as the lane does; how many rows were moved."""
        total, take = 0, self.take
        for _ in range(at_most):
            moved = await take(self.turn(after_s))
            if not moved:
                return total
            total += moved
        raise AssertionError("rows are due again and again")

    async def come_in(self, entity: Entity, *pulled: Pulled[Any], **options: Any) -> Applied:
        """Records arrive from the home store; what follows is due for the other one."""
        return await self.home.take(entity, *pulled, **options)

    async def enqueue(self, *, missing_only: bool = True) -> int:
        async with self.home.database.tenant(self.home.tenant_id) as connection:
            return await enqueue_catalogue(
                connection, self.away.tenant_id, self.away.store_id, missing_only=missing_only
            )

    async def rows(self, columns: str = "entity, status, attempts") -> Rows:
        """The push rows of the away store."""
        return await self.away.rows(
            f"select {columns} from pushes where store_id = :store order by id"
        )

    async def links(self, entity: str, columns: str = "external_id") -> Rows:
        return await self.away.rows(
            f"select {columns} from links where store_id = :store and entity = :entity"
            " and deleted_at is null order by record_id",
            entity=entity,
        )

    async def logs(self) -> Rows:
        return await self.away.rows(
            "select action, status, retry_count from store_sync_logs where store_id = :store"
            " order by id"
        )

    def titles(self) -> list[str]:
        """Of the products the shop has, oldest first."""
        made = self.shop.table(Entity.PRODUCTS).values()
        return [one.title for one in made if isinstance(one, Product)]

    async def key_of(self, external_id: str, entity: Entity = Entity.PRODUCTS) -> str:
        """Our own key of a record of the home store."""
        record_id = await self.home.record_id(entity.value, external_id)
        return own_key(entity, await self.home.mark(), record_id)


async def new_push_room(database: Database, owner: Database) -> PushRoom:
    home = await new_room(database, owner)
    settings = StoreSettings(sync_directions=EVERYTHING).model_dump(mode="json", by_alias=True)
    away_id = await new_store(database, home.tenant_id, settings=settings)
    away = Room(database, home.tenant_id, away_id)
    shop = MemoryShop()
    return PushRoom(home, away, shop, Lane(), Opener(shop, manifest()))


def off(entity: str) -> StoreSettings:
    """Settings that push everything but one entity."""
    ways = EVERYTHING.model_copy(update={entity: Direction.PULL})
    return StoreSettings(sync_directions=ways)

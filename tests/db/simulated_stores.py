"""Stores in memory: edits, deliveries that may be late, doubled or lost, and pushes to them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import push_links, pushes
from db.apply import Applied, apply
from db.conflicts import ConflictFilter, list_conflicts
from db.local_records import Local, load_local
from db.publishing import Touch, publish
from db.resolving import Resolution, resolve_conflict
from db.session import Database
from db.staging import Origin
from domain.entities import Entity
from domain.pages import Page, Pulled
from domain.records import Product, Variant, fingerprint, snapshot
from domain.statuses import ProductStatus

PRODUCTS = Entity.PRODUCTS


class Clock:
    """Real time that never stands still."""

    def __init__(self) -> None:
        self._last = datetime.now(UTC)

    def now(self) -> datetime:
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        return self._last


@dataclass
class SimulatedStore:
    """A shop that keeps products, and tells of every change, echoes of pushes included.

    It spells titles its own way, as shops do with texts: without spaces around them.
    """

    id: int
    clock: Clock
    products: dict[str, Pulled[Product]] = field(default_factory=dict)
    deliveries: list[Pulled[Product]] = field(default_factory=list)
    created: int = 0

    def put(self, product: Product, key: str | None = None) -> Pulled[Product]:
        if key is None:
            self.created += 1
            key = f"{self.id}-{self.created}"
        variants = tuple(
            one.model_copy(update={"external_id": one.external_id or f"{key}-{place}"})
            for place, one in enumerate(product.variants)
        )
        kept = product.model_copy(update={"title": product.title.strip(), "variants": variants})
        held = self.products.get(key)
        if held is None or held.record != kept:
            self.products[key] = Pulled(key, kept, self.clock.now())
            self.deliveries.append(self.products[key])
        return self.products[key]

    def find(self, sku: str) -> str | None:
        return next((key for key, one in self.products.items() if sku_of(one.record) == sku), None)

    def edit(self, sku: str, name: str, value: Any) -> None:
        key = self.find(sku)
        if key is not None:
            self.put(edited(self.products[key].record, name, value), key)


def sku_of(product: Product) -> str:
    return product.variants[0].sku


def new_product(sku: str) -> Product:
    return Product(
        title=f"Product {sku}",
        status=ProductStatus.ACTIVE,
        currency="EUR",
        variants=(Variant.model_validate({"external_id": "", "sku": sku, "price": "10"}),),
    )


def edited(product: Product, name: str, value: Any) -> Product:
    if name == "price":
        (variant,) = product.variants
        changed = Variant.model_validate(variant.model_dump() | {"price": value})
        return product.model_copy(update={"variants": (changed,)})
    return Product.model_validate(product.model_dump() | {name: value})


def said(product: Product) -> dict[str, Any]:
    """What all stores share of a product."""
    return {
        "title": product.title.strip(),
        "description": product.description,
        "tags": sorted(product.tags),
        "price": product.variants[0].price,
    }


@dataclass
class World:
    """A hub with stores that are kept in step."""

    database: Database
    tenant_id: int
    stores: list[SimulatedStore]

    async def take(self, store: SimulatedStore, *pulled: Pulled[Product]) -> Applied:
        async def work(connection: AsyncConnection) -> Applied:
            page: Page[Any] = Page(records=pulled)
            return await apply(connection, Origin(self.tenant_id, store.id), PRODUCTS, page)

        return await self.database.transact(self.tenant_id, work)

    async def edit(self, sku: str, name: str, value: Any) -> None:
        """An edit in the hub itself."""

        async def work(connection: AsyncConnection) -> None:
            found = await connection.execute(
                text("select product_id, id from product_variants where sku = :sku"), {"sku": sku}
            )
            row = found.first()
            if row is None:
                return
            table, own = ("product_variants", row.id) if name == "price" else ("products", row[0])
            await connection.execute(
                text(f"update {table} set {name} = :value, updated_at = now() where id = :id"),
                {"value": value, "id": own},
            )
            await connection.execute(
                text("update products set updated_at = now() where id = :id"), {"id": row[0]}
            )
            await publish(connection, self.tenant_id, [Touch(PRODUCTS, row[0], "updated")])

        await self.database.transact(self.tenant_id, work)

    async def claim(self, store: SimulatedStore) -> list[tuple[pushes.Push, Local]]:
        async with self.database.tenant(self.tenant_id) as connection:
            rows = await pushes.claim_due(
                connection, store.id, PRODUCTS, now=datetime.now(UTC), limit=100
            )
            ids = [one.record_id for one in rows]
            known = await load_local(connection, store.id, PRODUCTS, ids)
        return [(one, known[one.record_id]) for one in rows]

    async def send(
        self, store: SimulatedStore, claimed: Sequence[tuple[pushes.Push, Local]]
    ) -> None:
        """Bring what was claimed to the store, and remember its answers."""
        for row, local in claimed:
            assert isinstance(local.record, Product)
            key = local.external_id or store.find(sku_of(local.record))
            held = store.products.get(key or "")
            waiting = local.held
            record = local.record
            if held is not None:
                for path in waiting:
                    name = path.rpartition(".")[2]
                    kept = (
                        held.record.variants[0].price
                        if name == "price"
                        else getattr(held.record, name)
                    )
                    record = edited(record, name, kept)
                ids = [one.external_id for one in held.record.variants]
                record = record.model_copy(
                    update={
                        "variants": tuple(
                            one.model_copy(update={"external_id": own})
                            for one, own in zip(record.variants, ids, strict=True)
                        )
                    }
                )
            answer = store.put(record, key)
            await self._agree(store, row, local, answer)

    async def _agree(
        self, store: SimulatedStore, row: pushes.Push, local: Local, answer: Pulled[Product]
    ) -> None:
        pairs = {local.variant_ids[0]: answer.record.variants[0].external_id}
        held = push_links.Held(
            row.record_id,
            answer.external_id,
            base=local.agreed(PRODUCTS, answer, pairs),
            digest=fingerprint(snapshot(answer.record)),
            version=answer.version,
            variants=tuple(pairs.items()),
        )

        async def work(connection: AsyncConnection) -> None:
            await push_links.link(connection, self.tenant_id, store.id, PRODUCTS, [held])
            known = await load_local(connection, store.id, PRODUCTS, [row.record_id], lock=True)
            same = [key for key, one in known.items() if one.agrees(PRODUCTS)]
            await push_links.agree(connection, store.id, PRODUCTS, same)
            await pushes.settle(connection, store.id, [row])

        await self.database.transact(self.tenant_id, work)

    async def settle(self, *, rounds: int) -> int:
        """Deliver, pull and push until nothing moves any more. How many rounds it took."""
        for number in range(1, rounds + 1):
            is_quiet = True
            for store in self.stores:
                pending, store.deliveries = store.deliveries, []
                for one in pending:
                    await self.take(store, one)
                applied = await self.take(store, *store.products.values())
                claimed = await self.claim(store)
                await self.send(store, claimed)
                moved = pending or claimed or applied.updated or applied.created
                is_quiet = is_quiet and not moved
            if is_quiet:
                return number
        raise AssertionError("the stores never come to rest")

    async def resolve(self, resolution: str) -> int:
        """Decide every open conflict so. How many there were."""
        async with self.database.tenant(self.tenant_id) as connection:
            waiting = await list_conflicts(
                connection, ConflictFilter(status="open"), before=2**62, limit=100
            )
        for one in waiting:
            decision = Resolution(resolution, {})

            async def work(
                connection: AsyncConnection, number: int = one.id, how: Resolution = decision
            ) -> None:
                await resolve_conflict(connection, self.tenant_id, number, how)

            await self.database.transact(self.tenant_id, work)
        return len(waiting)

    async def held(self, store: SimulatedStore) -> dict[str, set[str]]:
        """The fields of a store that wait for a person, by SKU."""
        async with self.database.tenant(self.tenant_id) as connection:
            wanted = ConflictFilter(status="open", store_id=store.id)
            waiting = await list_conflicts(connection, wanted, before=2**62, limit=100)
        return {
            sku_of(store.products[one.external_id].record): {
                path.rpartition(".")[2] for path in one.fields
            }
            for one in waiting
        }

    async def hub(self) -> dict[str, dict[str, Any]]:
        """What the hub has, by SKU."""
        async with self.database.tenant(self.tenant_id) as connection:
            rows = await connection.execute(
                text(
                    "select v.sku, p.title, p.description, p.tags, v.price from products p"
                    " join product_variants v on v.product_id = p.id"
                    " where p.deleted_at is null and v.deleted_at is null"
                )
            )
            return {
                row.sku: {
                    "title": row.title.strip(),
                    "description": row.description,
                    "tags": sorted(row.tags),
                    "price": row.price,
                }
                for row in rows
            }


def shown(store: SimulatedStore) -> dict[str, dict[str, Any]]:
    """What a store shows, by SKU."""
    return {sku_of(one.record): said(one.record) for one in store.products.values()}


def late(store: SimulatedStore, place: int) -> Pulled[Product] | None:
    """One of the deliveries on the way, whichever order they were sent in."""
    return store.deliveries[place % len(store.deliveries)] if store.deliveries else None


def lose(store: SimulatedStore, place: int) -> None:
    if store.deliveries:
        del store.deliveries[place % len(store.deliveries)]

"""A tenant with at least one row in every table there is."""

from datetime import UTC, datetime, timedelta

from db import idempotency, ranges, runs, store_checks, sweeps
from db.crypto import SecretBox, store_context
from db.keys import NewKey, create_key
from db.session import Database
from domain.entities import Entity
from domain.pages import Rejected
from tests.db.factories import category, customer, line, order, product
from tests.db.room import Room, new_room


async def populated_room(app: Database, owner: Database) -> Room:
    """A new tenant that uses everything."""
    room = await new_room(app, owner)
    await room.take(Entity.CATEGORIES, category("1"))
    await room.take(Entity.PRODUCTS, product("1", stock={"1": 4}))
    await room.take(Entity.CUSTOMERS, customer("1"))
    await room.take(Entity.ORDERS, order("1", line("1", "1"), customer="1"))
    sealed = SecretBox([b"k" * 32]).seal(b"{}", context=store_context(room.store_id))
    check = store_checks.StoreCheck(room.store_id, "woocommerce", sealed)
    key = runs.RunKey(room.tenant_id, room.store_id, "import", f"import/{room.store_id}", "r")
    attempt = idempotency.Attempt(room.tenant_id, "POST /stores", "k", b"hash", datetime.now(UTC))
    async with app.tenant(room.tenant_id) as connection:
        await create_key(connection, room.tenant_id, NewKey(name="Till"))
        await idempotency.claim(connection, attempt)
        expires_at = datetime.now(UTC) + timedelta(minutes=15)
        await store_checks.create_check(connection, room.tenant_id, check, expires_at=expires_at)
        run_id, _ = await runs.begin_run(connection, key)
        await runs.open_logs(connection, key, run_id, [Entity.ORDERS])
        piece = ranges.RangeKey(room.tenant_id, run_id, Entity.ORDERS, "p1-8")
        await ranges.begin_entity(connection, piece, total=1, store_clock=datetime.now(UTC))
        counts = ranges.RangeCounts(pages=1)
        await ranges.advance_range(connection, piece, resume="2", is_done=False, step=counts)
        await ranges.reject(connection, piece, [Rejected("7", 0, "bad price")], place="page 1")
        await sweeps.collect_ids(connection, room.tenant_id, run_id, Entity.ORDERS, ["1"])
    return room

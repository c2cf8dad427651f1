"""A tenant with at least one row in every table there is."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from db import idempotency, ranges, runs, store_checks, sweeps
from db.crypto import SecretBox, store_context
from db.keys import NewKey, create_key
from db.session import Database
from domain.entities import Entity
from domain.pages import Rejected
from tests.db.factories import category, customer, line, order, product
from tests.db.room import Room, new_room

# What the hub keeps of two-way sync, as little of each as there can be.
_TWO_WAY = """
insert into lanes (tenant_id, kind, key) values (:tenant, 'push', :store);
insert into webhook_events (tenant_id, store_id, event_type, topic, route, body) values
  (:tenant, :store, 'order_created', 'order.created', 'generic', '{}');
insert into webhook_counters (tenant_id, store_id, name) values (:tenant, :store, 'accepted');
insert into webhook_subscriptions (tenant_id, store_id, topic, external_id, status) values
  (:tenant, :store, 'order.created', '1', 'active');
insert into pushes (tenant_id, store_id, entity, record_id) values (:tenant, :store, 'products',
  4711);
insert into store_budgets (tenant_id, store_id) values (:tenant, :store);
insert into conflicts (tenant_id, store_id, entity, record_id, external_id) values (:tenant,
  :store, 'products', 4711, '1');
insert into store_cursors (tenant_id, store_id, entity, changed_since) values (:tenant, :store,
  'orders', now());
insert into store_schedules (tenant_id, store_id, kind) values (:tenant, :store, 'pull');
insert into drift (tenant_id, store_id, entity, kind) values (:tenant, :store, 'products',
  'missing');
insert into alerts (tenant_id, store_id, kind, subject, event, title, message) values (:tenant,
  :store, 'loop', 'x', 'alert.raised', 't', 'm');
insert into alert_channels (tenant_id, kind, name, encrypted_data, iv, tag, key_id) values
  (:tenant, 'webhook', 'pager', '00', '00', '00', 'k');
insert into alert_messages (tenant_id, alert_id, channel_id) select a.tenant_id, a.id, c.id from
  alerts a, alert_channels c;
insert into connect_tokens (tenant_id, provider, token_hash, encrypted_data, iv, tag, key_id,
  expires_at) values (:tenant, 'woocommerce', decode(md5(cast(:tenant as text)), 'hex'), '00',
  '00', '00', 'k', now());
insert into store_levels (tenant_id, store_id, variant_id, agreed) values (:tenant, :store,
  4711, 1);
insert into reservations (tenant_id, order_id, variant_id, warehouse_id, quantity, reserved,
  status) select o.tenant_id, o.id, 4711, 1, 1, 1, 'held' from orders o;
insert into invoices (tenant_id, number, warehouse_id) select tenant_id, '1', id from warehouses
  limit 1;
insert into invoice_lines (tenant_id, invoice_id, variant_id, quantity) select i.tenant_id,
  i.id, v.id, 1 from invoices i, product_variants v;
"""
# The people, what their sessions and keys leave behind, and what reports are made of.
_PEOPLE = """
insert into users (tenant_id, email, name, role, password_hash) values (:tenant,
  'ann' || cast(:tenant as text) || '@example.test', 'Ann', 'owner', 'x');
insert into login_sessions (tenant_id, user_id, expires_at) select tenant_id, id, now() from users;
insert into login_networks (tenant_id, user_id, network, last_login_at) select tenant_id, id,
  '192.0.2.1', now() from users;
insert into refresh_tokens (tenant_id, session_id, token_hash, expires_at) select tenant_id, id,
  decode(md5(cast(:tenant as text)), 'hex'), now() from login_sessions;
insert into signing_keys (tenant_id, kid, encrypted_data, iv, tag, key_id, signs_until,
  verifies_until) values (:tenant, md5(cast(:tenant as text)), '00', '00', '00', 'k', now(), now());
insert into api_key_usage (tenant_id, api_key_id, day, requests) select tenant_id, id,
  current_date, 1 from api_keys;
insert into audit_log (tenant_id, actor_kind, action) values (:tenant, 'cli', 'user.created');
insert into field_mappings (tenant_id, store_id) values (:tenant, :store);
insert into mapping_previews (tenant_id, store_id, entity, expires_at) values (:tenant, :store,
  'products', now());
insert into provider_calls (tenant_id, store_id, hour, method, outcome, calls, total_ms, buckets)
  values (:tenant, :store, now(), 'GET', 'ok', 1, 5, '{1}');
insert into webhook_hours (tenant_id, store_id, hour, entity, status, outcome, bucket, events)
  values (:tenant, :store, now(), 'orders', 'processed', 'created', 3, 1);
insert into store_health (tenant_id, store_id, is_connected, checked_at) values (:tenant, :store,
  true, now());
insert into run_diffs (tenant_id, run_id, way, entity, key, place, action) select tenant_id, id,
  'pull', 'products', '1', 'page 1', 'created' from sync_runs;
insert into run_pushes (tenant_id, run_id, entity, queued, skipped, is_forced) select tenant_id, id,
  'customers', 1, 0, false from sync_runs;
"""


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
        await _run_all(connection, room, _TWO_WAY + _PEOPLE)
    return room


async def _run_all(connection: AsyncConnection, room: Room, statements: str) -> None:
    params = {"tenant": room.tenant_id, "store": room.store_id}
    for statement in filter(str.strip, statements.split(";")):
        used = {name: value for name, value in params.items() if f":{name}" in statement}
        await connection.execute(text(f"{statement} on conflict do nothing"), used)

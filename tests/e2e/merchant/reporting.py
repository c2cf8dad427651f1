"""What the hub tells of itself: reports, exports, limits, caches, its tables and its logs."""

import asyncio
import json
from pathlib import Path
from typing import Any, Final

import httpx

from tests.e2e.merchant.witness import SYNC, Witness

EXPORTS: Final = ("customers", "products", "orders", "inventory")
FORMATS: Final = ("json", "csv", "ndjson")
TIMEFRAMES: Final = ("24h", "7d", "30d", "90d")
EVENTS: Final = ("started", "completed", "failed", "cancelled", "rejected")
_INDEXED: Final = """
select conrelid::regclass::text, confrelid::regclass::text from pg_constraint c
where contype = 'f' and conparentid = 0 and connamespace = 'public'::regnamespace and not exists (
  select from pg_index i where i.indrelid = c.conrelid
    and (i.indkey::int2[])[0:cardinality(c.conkey) - 1] @> c.conkey)
"""
FOR_REPORTS: Final = "application_name=reports"
"""Of the URL that reports are read by, so that its connections are known from the others."""
_USED_FOR_REPORTS: Final = """
select extract(epoch from max(query_start) - min(backend_start))::int from pg_stat_activity
where application_name = 'reports'
"""
_COUNTED: Final = {"requests.server_error", "requests.timeout"}
_WRONG: Final[dict[str, Any]] = {
    "direction": {"direction": "sideways"},
    "batchSize": {"batchSize": 101},
    "unknown field": {"batchsize": 10},
    "type": {"force": "perhaps"},
}


async def report(one: Witness) -> None:
    """All of it."""
    await _read_reports(one)
    await _export(one)
    await _be_refused(one)
    await _ask_too_often(one)
    await _keep_answers(one)
    await _look_inside(one)


async def _read_reports(one: Witness) -> None:
    async def look() -> Any:
        return await one.ask("analytics 30d", "GET", f"{SYNC}/analytics?timeframe=30d")

    # Requests are written down every five seconds.
    await one.until("analytics", look, lambda shown: _errors(shown).keys() >= _COUNTED)
    for timeframe in TIMEFRAMES:
        await one.ask(f"analytics {timeframe}", "GET", f"{SYNC}/analytics?timeframe={timeframe}")
    await one.ask("history", "GET", f"{SYNC}/history?limit=50&event_type=completed")
    await one.ask("history page", "GET", f"{SYNC}/history?limit=2")
    cursor = one.seen.answers["history page"]["nextCursor"]
    await one.ask("history next", "GET", f"{SYNC}/history?limit=2&cursor={cursor}")
    for event in EVENTS:
        await one.ask(f"history {event}", "GET", f"{SYNC}/history?event_type={event}")
    logs = await one.get(f"{one.store_path}/sync-logs", limit=200)
    one.seen.answers["sync logs"] = logs["data"]


def _errors(shown: Any) -> Any:
    return shown["total"]["errorClasses"]


async def _export(one: Witness) -> None:
    """All of it; one customer, who is the hub's alone, has a name that a spreadsheet would run."""
    settings = {"settings": {"syncDirections": {"customers": "pull"}}}
    await one.ask("customers stay", "PATCH", one.store_path, json=settings)
    body = {"firstName": "=cmd|' /C calc'!A0", "email": "formula@example.test"}
    await one.ask("formula", "POST", "/api/customers", json=body)
    for entity in EXPORTS:
        for form in FORMATS:
            path = f"{SYNC}/export/{entity}?format={form}"
            await one.ask(f"export {entity} {form}", "GET", path)
    path = f"{SYNC}/export/customers?format=json&wc_only=true"
    await one.ask("export wc_only", "GET", path)


async def _be_refused(one: Witness) -> None:
    for name, body in _WRONG.items():
        await one.call(f"wrong {name}", "POST", f"{SYNC}/sync/full", json=body)
    headers = {"X-API-Key": one.hub.connection.api_key, "X-API-Secret": "wrong"}
    answer = await one.anybody.get(f"{SYNC}/status", headers=headers)
    one.seen.codes["wrong key"] = answer.status_code
    right = {**headers, "X-API-Secret": one.hub.connection.api_secret}
    one.seen.codes["right key"] = (
        await one.anybody.get(f"{SYNC}/status", headers=right)
    ).status_code
    twice = {"Idempotency-Key": "document-1"}
    for step in ("once", "once more"):
        path = f"{SYNC}/sync/customers/pull?storeId={one.store_id}"
        await one.ask(step, "POST", path, json={"limit": 1}, headers=twice)


async def _ask_too_often(one: Witness) -> None:
    body = {"name": "slow", "permissions": ["syncs:read"], "requestsPerMinute": 3}
    made = await one.ask("slow key", "POST", "/api/keys", json=body)
    headers = {"X-API-Key": made["key"], "X-API-Secret": made["secret"]}
    answers = [await one.anybody.get(f"{SYNC}/history", headers=headers) for _ in range(4)]
    one.seen.answers["limited"] = [answer.status_code for answer in answers]
    one.seen.headers["limited"] = answers[-1].headers


async def _keep_answers(one: Witness) -> None:
    """What is kept, what drops it, and for how long."""
    await one.ask("providers", "GET", "/api/providers")
    known = {"If-None-Match": one.seen.headers["providers"]["etag"]}
    await one.call("providers unchanged", "GET", "/api/providers", headers=known)
    product = await one.hub_record("products", one.seen.answers["told"]["product"])
    path = f"/api/products/{product['id']}"
    await one.ask("product", "GET", path)
    etag = {"If-None-Match": one.seen.headers["product"]["etag"]}
    await one.call("product unchanged", "GET", path, headers=etag)
    await one.ask("product changed", "PATCH", path, json={"title": "Changed since"})
    await one.ask("product afterwards", "GET", path, headers=etag)
    await one.ask("kept", "GET", f"{SYNC}/analytics?timeframe=24h")
    await one.ask("kept on", "GET", f"{SYNC}/analytics?timeframe=24h")

    async def look() -> Any:
        return await one.ask("kept no more", "GET", f"{SYNC}/analytics?timeframe=24h")

    until = one.seen.answers["kept"]["until"]
    await one.until("expired", look, lambda shown: shown["until"] != until)


async def _look_inside(one: Witness) -> None:
    one.seen.answers["unindexed"] = await one.hub.query(_INDEXED)
    used = "select count(*) from pg_stat_activity where usename = 'entrepot_app'"
    one.seen.answers["database connections"] = await one.hub.query(used)
    one.seen.answers["replica used"] = await one.hub.query(_USED_FOR_REPORTS)
    logs = one.hub.data_dir / "logs"
    lines = [line for name in ("api", "events", "worker") for line in await _lines(logs, name)]
    one.seen.answers["log"] = [json.loads(line) for line in lines if line.startswith("{")]
    one.seen.texts["postgres log"] = "\n".join(await _lines(logs, "postgres"))
    document: httpx.Response = await one.anybody.get("/openapi.json")
    one.seen.answers["openapi"] = document.json()


async def _lines(logs: Path, name: str) -> list[str]:
    text = await asyncio.to_thread((logs / f"{name}.log").read_text)
    return text.splitlines()

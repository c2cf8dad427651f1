"""`ingress`, end to end: received, applied, and pushed to another store, at a steady rate."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import text
from temporalio.client import WorkflowExecutionStatus

from bench.import_run import Connected, connected
from bench.rig import BenchError, Rig, start_rig
from bench.servers import run, serving_api
from bench.shop import ShopSize, start_shop
from bench.webhook_load import send_at
from bench.webhook_source import CODE, connect_store, product, signed

Say = Callable[[str], None]

_SHOP: Final = ShopSize(20, 20)
_CONNECTIONS: Final = 16
_PROBES_PER_S: Final = 5
_LOOK_EVERY_S: Final = 1.0
_PATIENCE_S: Final = 180.0
_FIRST_ID: Final = 1_000_000
_SETTINGS: Final = json.dumps({"syncDirections": {"products": "both", "inventory": "off"}})
_LATENCIES: Final = text("""
select extract(epoch from (l.pushed_at - e.received_at))
from webhook_events e
join links s on s.store_id = e.store_id and s.entity = 'products' and s.external_id = e.external_id
join links l on l.record_id = s.record_id and l.entity = 'products' and l.store_id = :target
where e.store_id = :source and e.external_id = any(:probes) and e.topic = 'product.updated'
order by 1
""")
_PENDING: Final = text("""
select (select count(*) from webhook_events where status = 'pending'),
       (select count(*) from pushes where status = 'pending')
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class EndToEndOptions:
    """`products` are updated over and over at `per_s`, others once each, to measure with."""

    per_s: float = 300.0
    seconds: float = 60.0
    products: int = 600


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """What came of it. `backlog` is how many events and pushes were waiting, once a second."""

    webhooks: int
    latencies_s: Sequence[float]
    backlog: Sequence[int]
    history_events: Mapping[str, int]


def measure_end_to_end(options: EndToEndOptions, say: Say) -> EndToEnd:
    """Measure.

    Raises:
        CommandError: a part did not start, or not everything arrived.
    """
    with (
        start_rig() as rig,
        rig.database("e2e") as database,
        start_shop(rig.directory, _SHOP) as shop,
        rig.worker(database),
        serving_api(rig, database) as api,
    ):

        async def work() -> EndToEnd:
            async with connected(rig, database, shop) as target:
                _, source_id = await connect_store(rig, database, tenant_id=target.tenant_id)
                scene = _Scene(target, source_id, f"{api.url}/api/stores/webhooks/{CODE}")
                return await _measure(rig, scene, options, say)

        return run(work())


def end_to_end_figures(measured: EndToEnd) -> dict[str, Any]:
    """The part of the object for `results.json` that is about the whole way."""
    times = measured.latencies_s
    half = len(measured.backlog) // 2
    events = sum(measured.history_events.values())
    return {
        "history_events_per_1000": round(1000 * events / measured.webhooks, 1),
        "e2e_p50_ms": round(1000 * times[len(times) // 2]),
        "e2e_p99_ms": round(1000 * times[min(len(times) - 1, int(len(times) * 0.99))]),
        "e2e_webhooks": measured.webhooks,
        "e2e_probes": len(times),
        "backlog_first_half": max(measured.backlog[:half], default=0),
        "backlog_second_half": max(measured.backlog[half:], default=0),
        "history_events": dict(measured.history_events),
    }


@dataclass(frozen=True, slots=True)
class _Scene:
    """The shop that is told, and the one that tells."""

    target: Connected
    source_id: int
    url: str

    async def rows(self, statement: Any, **params: Any) -> list[Any]:
        """SQL within the tenant."""
        async with self.target.hub.database.tenant(self.target.tenant_id) as connection:
            return list(await connection.execute(statement, params))

    async def write(self, statement: str, **params: Any) -> None:
        """A change behind the hub's back."""
        async with self.target.hub.database.tenant(self.target.tenant_id) as connection:
            await connection.execute(text(statement), params)

    async def pending(self) -> int:
        """Events and pushes that wait."""
        [(events, pushes)] = await self.rows(_PENDING)
        return int(events) + int(pushes)

    async def until_quiet(self) -> None:
        """Wait until nothing waits. Raises BenchError."""
        deadline = time.monotonic() + _PATIENCE_S
        while await self.pending():
            if time.monotonic() > deadline:
                raise BenchError(f"{await self.pending()} events and pushes are still waiting")
            await asyncio.sleep(0.1)


async def _measure(rig: Rig, scene: _Scene, options: EndToEndOptions, say: Say) -> EndToEnd:
    await scene.write("update stores set settings = cast(:settings as jsonb)", settings=_SETTINGS)
    probes = [_FIRST_ID + number for number in range(int(options.seconds * _PROBES_PER_S))]
    others = [_FIRST_ID + 500_000 + number for number in range(options.products)]
    say(f"{len(probes) + len(others)} products are made, and pushed to the other store")
    # From here on: the lanes that this wakes may still be awake when the updates come.
    began_at = datetime.now(UTC)
    await _make(scene, [*probes, *others])
    rig.write_back()
    say(f"{options.per_s:g} updates a second for {options.seconds:g} s")
    backlog: list[int] = []
    watching = asyncio.create_task(_watch(scene, backlog))
    load = await send_at(
        scene.url,
        _updates(scene.url, probes, others, options),
        per_s=options.per_s,
        seconds=options.seconds,
        connections=_CONNECTIONS,
    )
    watching.cancel()
    await scene.until_quiet()
    times = await scene.rows(
        _LATENCIES,
        target=scene.target.store_id,
        source=scene.source_id,
        probes=[str(one) for one in probes],
    )
    found = [float(row[0]) for row in times if row[0] is not None]
    if len(found) < len(probes) or found[0] < 0:
        raise BenchError(f"{len(found)} of {len(probes)} updates reached the other store")
    history = await _history(scene, began_at)
    told = len(probes) + len(others) + len(load.latencies_s)
    return EndToEnd(told, found, backlog, history)


async def _make(scene: _Scene, ids: Sequence[int]) -> None:
    """Tell of products that nobody has yet, and wait until both stores have them."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    requests = iter(
        [
            signed(scene.url, "product.created", product(one, price=1, changed_at=moment))
            for one in ids
        ]
    )
    await send_at(
        scene.url, requests, per_s=200.0, seconds=len(ids) / 200.0, connections=_CONNECTIONS
    )
    await scene.until_quiet()


def _updates(
    url: str, probes: Sequence[int], others: Sequence[int], options: EndToEndOptions
) -> Iterator[bytes]:
    """Signed beforehand: probes spread evenly among the others, each product ever newer."""
    every = max(1, int(options.per_s / _PROBES_PER_S))
    waiting, turns = iter(probes), itertools.cycle(others)
    start = datetime(2026, 2, 1, tzinfo=UTC)
    made = []
    for number in range(int(options.per_s * options.seconds)):
        one = next(waiting, None) if number % every == 0 else None
        changed = product(
            one if one is not None else next(turns),
            price=2 + number,
            changed_at=start + timedelta(seconds=number),
        )
        made.append(signed(url, "product.updated", changed))
    return iter(made)


async def _watch(scene: _Scene, backlog: list[int]) -> None:
    """Note once a second how many wait, until cancelled."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        backlog.append(await scene.pending())


async def _history(scene: _Scene, began_at: datetime) -> dict[str, int]:
    """History events of the lanes' workflows since then, by type, once all of them are done."""
    query = f'TenantId = "{scene.target.tenant_id}" and StartTime >= "{began_at.isoformat()}"'
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        runs = [one async for one in scene.target.client.list_workflows(query)]
        if runs and all(one.status != WorkflowExecutionStatus.RUNNING for one in runs):
            found: dict[str, int] = {}
            for one in runs:
                found[one.workflow_type] = found.get(one.workflow_type, 0) + one.history_length
            return found
        await asyncio.sleep(0.5)
    raise BenchError("the lanes do not fall asleep")

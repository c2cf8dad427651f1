"""Records the histories that the replay tests read: `python -m tests.replay.record`.

Names of parts (`demands`, `syncs` …) record those alone: `make record-history ARGS="demands"`.

Only for a workflow that is new or was never released. Where a recorded history does not replay any
more, the change belongs behind `workflow.patched`, because runs like it may be under way somewhere.
"""

import asyncio
import logging
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from temporalio.client import Client, WorkflowFailureError, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from db.migrate import upgrade
from db.session import Database
from domain.entities import Entity
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.temporal import _binary
from runtime.failures import WRONG_INPUT
from runtime.hub import Hub
from runtime.settings import Settings, load_settings
from sandbox.woocommerce.seed import ShopSeed
from tests.replay.cases import CASES, HISTORIES
from tests.replay.record_demands import record_demands, record_hurried
from tests.replay.record_lanes import record_lanes
from tests.replay.record_mapping_previews import record_mapping_previews
from tests.replay.record_previews import record_previews
from tests.replay.record_scans import record_scans
from tests.replay.record_syncs import record_syncs
from tests.replay.scrub import scrubbed
from tests.workflows.scene import Scene, served_store, working
from tests.workflows.trials import check, put_on_trial
from workflows.search_attributes import ALL

LONG = ("--dynamic-config-value", "limit.historyCount.suggestContinueAsNew=40")


@dataclass(frozen=True)
class Recorder:
    """A hub at work, and what was recorded so far."""

    hub: Hub
    owner: Database
    client: Client
    stack: AsyncExitStack
    taken: dict[str, WorkflowHistory]

    async def open(self, **seed: Any) -> Scene:
        """A store connected to a new shop."""
        shop = served_store(self.hub, self.owner, self.client, ShopSeed(seed=9, **seed))
        return await self.stack.enter_async_context(shop)

    async def runs(self, workflow_id: str, *, at_least: int = 1) -> list[WorkflowHistory]:
        """The histories of a workflow id, from the oldest run on. A list lags behind a little."""
        query = f'WorkflowId = "{workflow_id}"'
        async with asyncio.timeout(10):
            while True:
                found = [one async for one in self.client.list_workflows(query)]
                if len(found) >= at_least:
                    break
                await asyncio.sleep(0.05)
        found.sort(key=lambda one: one.start_time)
        handles = [self.client.get_workflow_handle(one.id, run_id=one.run_id) for one in found]
        return [await handle.fetch_history() for handle in handles]

    async def take(self, scene: Scene, kind: str, **names: int) -> None:
        """Keep runs of one of a store's workflows: name of the case and number of the run."""
        workflow_id = {
            "import": f"import/{scene.store_id}",
            **{entity.value: f"pull/{scene.store_id}/{entity.value}" for entity in Entity},
        }[kind]
        runs = await self.runs(workflow_id, at_least=max(names.values()) + 1)
        self.taken.update((name, runs[number]) for name, number in names.items())


@asynccontextmanager
async def recorder(settings: Settings, owner_url: str, *options: str) -> AsyncIterator[Recorder]:
    """A worker on a Temporal server of its own."""
    async with AsyncExitStack() as stack:
        server = await WorkflowEnvironment.start_local(
            data_converter=pydantic_data_converter,
            dev_server_existing_path=_binary(),
            dev_server_extra_args=options,
            search_attributes=list(ALL),
        )
        await stack.enter_async_context(server)
        hub, owner = Hub.build(settings, pool_size=10), Database(owner_url, pool_size=1)
        stack.push_async_callback(hub.close)
        stack.push_async_callback(owner.close)
        await stack.enter_async_context(working(server.client, hub, settings))
        yield Recorder(hub, owner, server.client, stack, {})


async def failing(scene: Scene, **options: Any) -> None:
    """An import that is expected to fail."""
    try:
        await scene.import_store(**options)
    except WorkflowFailureError:
        return
    raise AssertionError("the import was to fail")


async def cancelled(scene: Scene, *, pages: int, **options: Any) -> None:
    """An import that is cancelled once so many pages of orders are in."""
    running = await scene.start(**options)
    if pages:
        await scene.pages_of(Entity.ORDERS, at_least=pages)
    await running.cancel()
    try:
        await running.result()
    except WorkflowFailureError:
        return
    raise AssertionError("the import was to be cancelled")


async def record_checks(to: Recorder) -> None:
    scene = await to.open(products=5, orders=5)
    ids = {
        "check_ok": await put_on_trial(scene),
        "check_refused": await put_on_trial(scene, consumerSecret="cs_" + "0" * 40),
        "check_failed": await put_on_trial(scene),
    }
    for name, check_id in ids.items():
        if name == "check_failed":
            scene.fail("error", status=502)
        await check(scene, check_id)
        to.taken[name] = (await to.runs(f"check/{check_id}"))[0]


async def record_imports(to: Recorder) -> None:
    scene = await to.open(products=120, orders=420)
    await scene.import_store(pages_per_activity=2, in_flight=2)
    await to.take(scene, "import", import_ok=0)
    await to.take(scene, "orders", pull_pages=0, catch_up_tracked=1)
    await to.take(scene, "categories", catch_up_read_again=1)

    living = await to.open(products=10, orders=250)
    living.fail("churn", entity="orders", max_events=14, id_pages=True, seed=3)
    await living.import_store()
    await to.take(living, "import", import_of_a_living_shop=0)
    await to.take(living, "orders", catch_up_swept_twice=1)


async def record_failures(to: Recorder) -> None:
    refused = await to.open(products=5, orders=500)
    refused.fail("error", status=401, path="/wc/v3/orders", skip=3)
    await failing(refused, pages_per_activity=1)
    await to.take(refused, "import", import_failed=0)
    await to.take(refused, "orders", pull_pages_failed=0)

    waited = await to.open(products=5, orders=300)
    waited.fail("maintenance", retry_after=1, path="/wc/v3/orders", count=6, skip=2)
    await waited.import_store(pages_per_activity=1, in_flight=2)
    await to.take(waited, "orders", pull_waited=0)

    down = await to.open(products=5, orders=5)
    down.fail("error", status=500, path="/wc/v3/orders")
    await failing(down, ladder_s=(0, 0.1))
    await to.take(down, "orders", pull_given_up=0)


async def record_cancellations(to: Recorder) -> None:
    scene = await to.open(products=5, orders=900)
    await cancelled(scene, pages=0)
    scene.fail("slow", path="/wc/v3/orders", delay_s=0.1)
    await cancelled(scene, pages=2, pages_per_activity=3, in_flight=2)
    scene.shop.faults.rules.clear()
    await scene.import_store(pages_per_activity=3, in_flight=2)
    await to.take(scene, "import", import_cancelled_at_once=0, import_cancelled=1, import_resumed=2)
    await to.take(scene, "orders", pull_pages_cancelled=0)


async def record_continuation(to: Recorder) -> None:
    scene = await to.open(products=5, orders=1_200)
    await scene.import_store(pages_per_activity=1, in_flight=2)
    await to.take(scene, "orders", pull_continued=0, pull_continuation=1)


ORDINARY: Final[Mapping[str, Callable[[Recorder], Awaitable[None]]]] = {
    "checks": record_checks,
    "previews": record_previews,
    "mapping-previews": record_mapping_previews,
    "imports": record_imports,
    "failures": record_failures,
    "cancellations": record_cancellations,
    "syncs": record_syncs,
    "scans": record_scans,
    "demands": record_demands,
    "hurried": record_hurried,
}
PARTS: Final = (*ORDINARY, "continuations", "lanes")


async def record(
    settings: Settings, owner_url: str, parts: Collection[str]
) -> dict[str, WorkflowHistory]:
    """Run the cases of these parts."""
    taken: dict[str, WorkflowHistory] = {}
    if chosen := [run for name, run in ORDINARY.items() if name in parts]:
        async with recorder(settings, owner_url) as ordinary:
            for run in chosen:
                await run(ordinary)
        taken |= ordinary.taken
    if "continuations" in parts:
        async with recorder(settings, owner_url, *LONG) as long:
            await record_continuation(long)
        taken |= long.taken
    if "lanes" in parts:
        taken |= await record_lanes(settings.database_url.get_secret_value(), owner_url)
    return taken


def main(asked: Sequence[str]) -> int:
    """Write histories in place of those that are there: of the parts named, or of all cases."""
    if unknown := set(asked) - set(PARTS):
        sys.stderr.write(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}\n")
        return WRONG_INPUT
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedPostgres(Path(directory), durable=False)
        server.start()
        try:
            upgrade(server.owner_url)
            given = {
                "database_url": server.app_url,
                "encryption_key": "5a" * 32,
                "allow_private_addresses": True,
                "public_url": "https://hub.example",
            }
            settings = load_settings(env_file=None, given=given)
            taken = asyncio.run(record(settings, server.owner_url, asked or PARTS))
        finally:
            server.stop()
    HISTORIES.mkdir(exist_ok=True)
    if not asked:
        for old in HISTORIES.glob("*.json"):
            old.unlink()
    for name in taken if asked else CASES:
        (HISTORIES / f"{name}.json").write_text(scrubbed(taken[name]))
        print(f"{name}: {len(taken[name].events)} events")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

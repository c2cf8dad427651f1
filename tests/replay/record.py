"""Record the histories that the replay tests read: `make record-history`.

Each scene is a real run: real PostgreSQL, a real Temporal server and the sandbox shop over HTTP.
Record again only after a change that is behind `workflow.patched`, or to add a scene: a replay
that fails tells of running workflows that would fail.
"""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowFailureError, WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from api.temporal import TemporalGateway
from db.crypto import store_context
from db.migrate import upgrade
from db.session import Database
from db.store_checks import StoreCheck, allocate_store_id, create_check
from domain.entities import Entity
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.embedded.temporal import _binary
from runtime.hub import Hub
from runtime.settings import load_settings
from sandbox.woocommerce.seed import ShopSeed
from tests.workflows.scene import Scene, served_store, working
from workflows import ids
from workflows.models import CheckStoreInput
from workflows.search_attributes import ALL

HISTORIES = Path(__file__).parent / "histories"
SUGGESTED_EVENTS = 90
"""Histories as long as this are suggested to continue as new, so that one scene does."""

Play = Callable[[Scene], Awaitable[None]]


async def _imported(scene: Scene) -> None:
    """Whole and quiet: every phase of an import, and a catch-up that finds nothing."""
    await scene.import_store(pages_per_activity=1, in_flight=2)


async def _living(scene: Scene) -> None:
    """Edits, additions and deletions: catch-up rounds that find something."""
    scene.churn(Entity.ORDERS, events=4)
    await scene.import_store(pages_per_activity=1, in_flight=2)


async def _refused(scene: Scene) -> None:
    """The shop takes the keys no more."""
    scene.fail("error", path="/wc/v3", status=401)
    await _fails(scene)


async def _waiting(scene: Scene) -> None:
    """Down past the quick tries, told to wait, then back."""
    scene.fail("maintenance", path="/wc/v3/products", retry_after=1, count=4)
    await scene.import_store()


async def _given_up(scene: Scene) -> None:
    """Down to the end of the ladder."""
    scene.fail("error", path="/wc/v3/orders", status=500)
    await _fails(scene)


async def _cancelled(scene: Scene) -> None:
    """Cancelled while it reads."""
    scene.fail("slow", path="/wc/v3/orders", delay_s=0.1)
    running = await scene.start(pages_per_activity=2, in_flight=2)
    await scene.pages_of(Entity.ORDERS, at_least=2)
    await running.cancel()
    try:
        await running.result()
    except WorkflowFailureError:
        return
    raise AssertionError("the import ended before it was cancelled")


async def _long(scene: Scene) -> None:
    """So many pages that a pull continues as new."""
    await scene.import_store(pages_per_activity=1, in_flight=1)


async def _checked(scene: Scene) -> None:
    """Credentials that are right, and credentials that are not."""
    for number, secret in enumerate((scene.ready.consumer_secret, "cs_" + "0" * 40)):
        check_id = await _put_on_trial(scene, secret)
        args = CheckStoreInput(
            tenant_id=scene.tenant_id, store_check_id=check_id, provider="woocommerce"
        )
        result = await TemporalGateway(scene.client).check_store(
            args, store_id=scene.store_id, timeout_s=20
        )
        assert (result.facts is None) == bool(number)


SCENES: dict[str, tuple[ShopSeed, Play]] = {
    "checked": (ShopSeed(products=5, orders=5), _checked),
    "imported": (ShopSeed(products=60, orders=60), _imported),
    "living": (ShopSeed(products=5, orders=450), _living),
    "refused": (ShopSeed(products=5, orders=5), _refused),
    "waiting": (ShopSeed(products=5, orders=5), _waiting),
    "given-up": (ShopSeed(products=5, orders=5), _given_up),
    "cancelled": (ShopSeed(products=5, orders=900), _cancelled),
    "long": (ShopSeed(products=5, orders=2_500), _long),
}


async def _fails(scene: Scene) -> None:
    try:
        await scene.import_store()
    except WorkflowFailureError:
        return
    raise AssertionError("the import should have failed")


async def _put_on_trial(scene: Scene, secret: str) -> int:
    form = {
        "storeUrl": scene.ready.url,
        "consumerKey": scene.ready.consumer_key,
        "consumerSecret": secret,
    }
    async with scene.hub.database.tenant(scene.tenant_id) as connection:
        store_id = await allocate_store_id(connection)
        sealed = scene.hub.box.seal(json.dumps(form).encode(), context=store_context(store_id))
        check = StoreCheck(store_id=store_id, provider="woocommerce", sealed=sealed)
        return await create_check(
            connection,
            scene.tenant_id,
            check,
            expires_at=datetime.now(UTC) + timedelta(minutes=15),
        )


def scrubbed(value: Any) -> Any:
    """A history without what tells of the machine it was recorded on."""
    if isinstance(value, dict):
        return {
            key: "recorded" if key == "identity" else scrubbed(member)
            for key, member in value.items()
            if key != "stackTrace"
        }
    return [scrubbed(member) for member in value] if isinstance(value, list) else value


async def _save(client: Client, scene_name: str) -> None:
    found = [one async for one in client.list_workflows()]
    for number, one in enumerate(sorted(found, key=lambda one: one.start_time)):
        handle = client.get_workflow_handle(one.id, run_id=one.run_id)
        history: WorkflowHistory = await handle.fetch_history()
        key = ids.parse_id(one.id)
        subject = f"-{key.entity.value}" if key.entity else ""
        path = HISTORIES / f"{scene_name}.{number:02}-{key.kind}{subject}.json"
        document = {"workflow_id": one.id, "history": scrubbed(json.loads(history.to_json()))}
        path.write_text(json.dumps(document, separators=(",", ":")) + "\n")
        print(path.name, len(history.events), "events")  # noqa: T201 - what was recorded


async def _record(directory: Path) -> None:
    server = EmbeddedPostgres(directory / "postgres", durable=False)
    server.start()
    try:
        upgrade(server.owner_url)
        owner = Database(server.owner_url, pool_size=1)
        for name, (seed, play) in SCENES.items():
            await _play(name, seed, play, server, owner)
        await owner.close()
    finally:
        server.stop()


async def _play(
    name: str, seed: ShopSeed, play: Play, server: EmbeddedPostgres, owner: Database
) -> None:
    settings = load_settings(
        env_file=None,
        given={
            "database_url": server.app_url,
            "encryption_key": "5a" * 32,
            "allow_private_addresses": True,
        },
    )
    suggested = f"limit.historyCount.suggestContinueAsNew={SUGGESTED_EVENTS}"
    environment = await WorkflowEnvironment.start_local(
        data_converter=pydantic_data_converter,
        dev_server_existing_path=_binary(),
        search_attributes=list(ALL),
        dev_server_extra_args=["--dynamic-config-value", suggested] if name == "long" else [],
    )
    hub = Hub.build(settings, pool_size=10)
    async with environment:
        async with (
            working(environment.client, hub, settings),
            served_store(hub, owner, environment.client, seed) as scene,
        ):
            await play(scene)
        await _save(environment.client, name)
    await hub.close()


def main() -> None:
    """Record every scene anew."""
    shutil.rmtree(HISTORIES, ignore_errors=True)
    HISTORIES.mkdir()
    with tempfile.TemporaryDirectory() as directory:
        asyncio.run(_record(Path(directory)))


if __name__ == "__main__":
    main()

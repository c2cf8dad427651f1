"""Records the histories of push previews alone: `python -m tests.replay.record_previews`."""

import asyncio
import logging
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from temporalio.client import WorkflowHistory

from activities.push_preview import PreviewPushInput
from api.temporal import TemporalGateway
from db.migrate import upgrade
from domain.entities import Entity
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.settings import load_settings
from tests.db.factories import product
from tests.db.room import Room, new_store
from tests.replay.cases import HISTORIES
from tests.replay.scrub import scrubbed
from workflows.ids import preview_id

if TYPE_CHECKING:
    from tests.replay.record import Recorder

NOWHERE = 4_000_000
"""The id of a store that was never there."""


async def record_previews(to: "Recorder") -> None:
    """Run every case of a preview."""
    scene = await to.open(products=2, orders=0)
    database = scene.hub.database
    home = Room(database, scene.tenant_id, await new_store(database, scene.tenant_id))
    await home.take(Entity.PRODUCTS, product("1"))
    for name, store_id in (("preview_ok", scene.store_id), ("preview_failed", NOWHERE)):
        args = PreviewPushInput(
            tenant_id=scene.tenant_id, store_id=store_id, entity=Entity.PRODUCTS, limit=10
        )
        await TemporalGateway(scene.client).preview_push(args, provider="woocommerce", timeout_s=20)
        to.taken[name] = (await to.runs(preview_id(store_id, Entity.PRODUCTS)))[0]


async def record(app_url: str, owner_url: str) -> dict[str, WorkflowHistory]:
    """Run every case on a server of its own."""
    from tests.replay.record import recorder  # noqa: PLC0415 - it imports this module

    given = {
        "database_url": app_url,
        "encryption_key": "5a" * 32,
        "allow_private_addresses": True,
    }
    async with recorder(load_settings(env_file=None, given=given), owner_url) as ordinary:
        await record_previews(ordinary)
    return ordinary.taken


def main() -> int:
    """Write the histories of previews in place of those that are there."""
    logging.getLogger("temporalio").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as directory:
        server = EmbeddedPostgres(Path(directory), durable=False)
        server.start()
        try:
            upgrade(server.owner_url)
            taken = asyncio.run(record(server.app_url, server.owner_url))
        finally:
            server.stop()
    for name, history in sorted(taken.items()):
        (HISTORIES / f"{name}.json").write_text(scrubbed(history))
        print(f"{name}: {len(history.events)} events")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())

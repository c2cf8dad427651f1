"""Records the histories of mapping previews: `python -m tests.replay.record_mapping_previews`."""

import asyncio
import logging
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from temporalio.client import WorkflowHistory

from activities.mapping_preview import PreviewMappingInput
from api.temporal_mappings import TemporalMappingGateway
from db.mapping_previews import MappingPreview, ask_preview
from db.migrate import upgrade
from domain.entities import Entity
from domain.field_mapping import MappingRule
from runtime.embedded.postgres import EmbeddedPostgres
from runtime.settings import load_settings
from tests.replay.cases import HISTORIES
from tests.replay.scrub import scrubbed
from workflows.ids import mapping_preview_id

if TYPE_CHECKING:
    from tests.replay.record import Recorder

NOWHERE = 4_000_000
"""The id of a preview that was never asked for."""

_RULE = MappingRule(entity=Entity.PRODUCTS, target="extra.kind", expression="type")


async def record_mapping_previews(to: "Recorder") -> None:
    """Run every case of a preview of a field mapping."""
    scene = await to.open(products=2, orders=0)
    async with scene.hub.database.tenant(scene.tenant_id) as connection:
        wanted = MappingPreview(scene.store_id, Entity.PRODUCTS, None, (_RULE,))
        expires_at = datetime.now(UTC) + timedelta(minutes=5)
        asked = await ask_preview(connection, scene.tenant_id, wanted, expires_at=expires_at)
    gateway = TemporalMappingGateway(scene.client)
    cases = {"mapping_preview_ok": asked, "mapping_preview_failed": NOWHERE}
    for name, preview_id in cases.items():
        args = PreviewMappingInput(
            tenant_id=scene.tenant_id, store_id=scene.store_id, preview_id=preview_id
        )
        await gateway.preview_mapping(args, provider="woocommerce", timeout_s=20)
        to.taken[name] = (await to.runs(mapping_preview_id(preview_id)))[0]


async def record(app_url: str, owner_url: str) -> dict[str, WorkflowHistory]:
    """Run every case on a server of its own."""
    from tests.replay.record import recorder  # noqa: PLC0415 - it imports this module

    given = {
        "database_url": app_url,
        "encryption_key": "5a" * 32,
        "allow_private_addresses": True,
    }
    async with recorder(load_settings(env_file=None, given=given), owner_url) as ordinary:
        await record_mapping_previews(ordinary)
    return ordinary.taken


def main() -> int:
    """Write these histories in place of those that are there."""
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

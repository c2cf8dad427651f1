"""The histories of mapping previews."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from activities.mapping_preview import PreviewMappingInput
from api.temporal_mappings import TemporalMappingGateway
from db.mapping_previews import MappingPreview, ask_preview
from domain.entities import Entity
from domain.field_mapping import MappingRule
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

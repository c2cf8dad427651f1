"""The histories of push previews."""

from typing import TYPE_CHECKING

from activities.push_preview import PreviewPushInput
from api.temporal import TemporalGateway
from domain.entities import Entity
from tests.db.factories import product
from tests.db.room import Room, new_store
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

"""Credentials on trial, as the API puts them there."""

import json
from datetime import UTC, datetime, timedelta

from api.temporal import TemporalGateway
from db.crypto import Sealed, store_context
from db.store_checks import StoreCheck, create_check
from tests.workflows.scene import Scene
from workflows.models import CheckStoreInput, CheckStoreResult


async def put_on_trial(scene: Scene, *, minutes: int = 15, **changes: str) -> int:
    """A check with the shop's own credentials, but for the changes; its id."""
    form = {
        "storeUrl": scene.ready.url,
        "consumerKey": scene.ready.consumer_key,
        "consumerSecret": scene.ready.consumer_secret,
        **changes,
    }
    context = store_context(scene.store_id)
    return await keep(
        scene, scene.hub.box.seal(json.dumps(form).encode(), context=context), minutes
    )


async def keep(scene: Scene, sealed: Sealed, minutes: int = 15) -> int:
    """A check with these credentials; its id."""
    check = StoreCheck(scene.store_id, "woocommerce", sealed)
    expires_at = datetime.now(UTC) + timedelta(minutes=minutes)
    async with scene.hub.database.tenant(scene.tenant_id) as connection:
        return await create_check(connection, scene.tenant_id, check, expires_at=expires_at)


async def check(scene: Scene, check_id: int) -> CheckStoreResult:
    """What the workflow says of it."""
    args = CheckStoreInput(
        tenant_id=scene.tenant_id, store_check_id=check_id, provider="woocommerce"
    )
    gateway = TemporalGateway(scene.client)
    return await gateway.check_store(args, store_id=scene.store_id, timeout_s=20)

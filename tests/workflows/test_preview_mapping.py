"""A field mapping tried on a real record: nothing of it goes through Temporal."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from activities.mapping_preview import PreviewMappingInput, PreviewMappingResult
from api.temporal_mappings import TemporalMappingGateway
from db.field_mappings import save_mapping
from db.mapping_previews import MappingPreview, ask_preview, take_preview
from domain.entities import Entity
from domain.field_mapping import MappingRule
from tests.workflows.conftest import OpenStore
from tests.workflows.histories import histories
from tests.workflows.scene import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

PHONE = MappingRule(entity=Entity.CUSTOMERS, target="phone", expression="billing.phone")
MAIL = MappingRule(entity=Entity.CUSTOMERS, target="extra.mail", expression="email")


async def tried(
    scene: Scene, entity: Entity, *rules: MappingRule, external_id: str | None = None
) -> tuple[PreviewMappingResult, Any]:
    async with scene.hub.database.tenant(scene.tenant_id) as connection:
        wanted = MappingPreview(scene.store_id, entity, external_id, rules)
        expires_at = datetime.now(UTC) + timedelta(minutes=5)
        preview_id = await ask_preview(connection, scene.tenant_id, wanted, expires_at=expires_at)
    args = PreviewMappingInput(
        tenant_id=scene.tenant_id, store_id=scene.store_id, preview_id=preview_id
    )
    gateway = TemporalMappingGateway(scene.client)
    result = await gateway.preview_mapping(args, provider="woocommerce", timeout_s=20)
    async with scene.hub.database.tenant(scene.tenant_id) as connection:
        return result, await take_preview(connection, preview_id)


async def test_a_preview_reads_one_record_and_no_history_holds_it(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=5)
    result, found = await tried(scene, Entity.CUSTOMERS, PHONE, MAIL)
    newest = max(scene.shop.shop.tables["customers"].rows)
    document = scene.shop.shop.document("customers", newest)
    assert result == PreviewMappingResult()
    assert found["external_id"] == str(newest)
    assert found["record"]["raw"]["email"] == document["email"]
    assert found["record"]["after"]["extra.mail"] == document["email"]
    assert document["email"]
    everything = "".join([history.to_json() async for history in histories(scene)])
    assert "preview" in everything
    assert document["email"] not in everything
    assert await scene.rows("select from customers") == []


async def test_a_preview_says_what_the_store_does_not_have(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=5)
    _, found = await tried(scene, Entity.CUSTOMERS, MAIL, external_id="987654")
    assert "no such record" in found["reason"]
    scene.fail("error", status=401)
    result, nothing = await tried(scene, Entity.CUSTOMERS, MAIL)
    assert (result.error_type, nothing) == ("CredentialsError", None)


async def test_an_import_goes_through_the_stores_rules(open_store: OpenStore) -> None:
    scene = await open_store(products=5, orders=5)
    rules = [
        MappingRule(
            entity=Entity.PRODUCTS, target="title", expression="join('', [name, ' / ', type])"
        ),
        MappingRule(entity=Entity.VARIANTS, target="extra.tax", expression="tax_class"),
        MappingRule(entity=Entity.ORDERS, target="extra.via", expression="created_via"),
    ]
    async with scene.hub.database.tenant(scene.tenant_id) as connection:
        await save_mapping(connection, scene.tenant_id, scene.store_id, rules)
    await scene.import_store()
    titles = await scene.rows("select title, kind from products")
    assert titles
    assert all(title.endswith(f" / {kind}") for title, kind in titles)
    extras = await scene.rows("select extra from product_variants")
    assert all("tax" in extra for (extra,) in extras)
    orders = await scene.rows("select extra from orders")
    assert {json.dumps(extra["via"]) for (extra,) in orders} != {"null"}

"""What a store's field mapping would make of one real record, told before it is saved."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from temporalio import activity

from activities.errors import translated
from activities.models import Message, StoreRef
from activities.stores import StoreOpener
from db.mapping_previews import MappingPreview, answer_preview, find_preview
from db.session import Database
from domain.entities import Entity
from domain.errors import StoreError, StoreGoneError
from domain.keepable import keepable
from domain.mapping_preview import TracedMapping
from domain.pages import Page
from domain.records import Record
from providers._kit.protocols import StoreClient


class PreviewMappingInput(StoreRef):
    """Which row of `mapping_previews` says what is wanted."""

    preview_id: int


class PreviewMappingResult(Message):
    """What was found is in the row; or why the store said no.

    `error_type` is the name of a `StoreError`; `message` is for people.
    """

    error_type: str | None = None
    message: str | None = None


class MappingPreviewActivities:
    """The step of `PreviewMappingWorkflow`."""

    def __init__(self, database: Database, opener: StoreOpener) -> None:
        self._database = database
        self._opener = opener

    @activity.defn
    async def preview_mapping(self, args: PreviewMappingInput) -> PreviewMappingResult:
        """Read one record, and write into the row what the rules make of it.

        A no of the store is a result, no failure. Run twice, it writes the same row twice.
        """
        with translated():
            async with self._database.tenant(args.tenant_id) as connection:
                wanted = await find_preview(connection, args.preview_id)
            if wanted is None:
                raise StoreGoneError("the preview expired before it was made: try again")
            try:
                found = await self._look(args, wanted)
            except StoreError as error:
                return PreviewMappingResult(error_type=type(error).__name__, message=str(error))
            async with self._database.tenant(args.tenant_id) as connection:
                await answer_preview(connection, args.preview_id, found)
            return PreviewMappingResult()

    async def _look(self, args: PreviewMappingInput, wanted: MappingPreview) -> Mapping[str, Any]:
        entity = Entity.PRODUCTS if wanted.entity is Entity.VARIANTS else wanted.entity
        mapping = TracedMapping(wanted.rules, entity)
        store = await self._opener.open(
            args.tenant_id, args.store_id, even_inactive=True, mapping=mapping
        )
        if entity not in store.manifest.entities:
            return {"reason": f"{store.manifest.title} has no {entity.value}."}
        try:
            external_id = wanted.external_id or await _newest(store.client, entity)
            if external_id is None:
                return {"reason": "The store has none."}
            page = await store.client.fetch_by_ids(entity, [external_id])
        except ValueError:
            return {"reason": f"The store lists no {entity.value}: name one with externalId."}
        return _told(external_id, page, mapping)


async def _newest(client: StoreClient, entity: Entity) -> str | None:
    return (await client.fetch_listing(entity)).newest_id


def _told(external_id: str, page: Page[Record], mapping: TracedMapping) -> dict[str, Any]:
    if page.rejected:
        return {"reason": f"The record cannot be understood: {page.rejected[0].reason}"}
    if not page.records:
        return {"reason": f"The store has no such record ({external_id[:40]})."}
    return {
        "external_id": external_id,
        "record": keepable(asdict(mapping.record)),
        "variants": [keepable(asdict(one)) for one in mapping.variants],
    }

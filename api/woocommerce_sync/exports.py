"""`GET /api/woocommerce-sync/export/{entity}`: records as a stream."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from api.auth import RecordsReader
from api.params import EACH_ONCE
from api.report_reading import reading_reports
from api.schemas.woocommerce_reports import EXPORT_LINES, EXPORT_TABLE, ExportedRecords
from api.services import Services, now
from api.woocommerce_sync.export_stream import MEDIA_TYPES, ExportResponse, export_stream
from api.woocommerce_sync.stores import StoreIdQuery, woocommerce_stores
from db.audit import record_audit
from db.export import ExportFormat, ExportReader, ExportRequest
from db.export_records import ExportKind

router = APIRouter(
    prefix="/api/woocommerce-sync", tags=["woocommerce-sync"], dependencies=[EACH_ONCE]
)

_FILES: dict[str, Any] = {
    "text/csv": {"schema": {"type": "string"}, "example": EXPORT_TABLE},
    "application/x-ndjson": {"schema": {"type": "string"}, "example": EXPORT_LINES},
}


@router.get(
    "/export/{entity}",
    summary="Export records",
    response_class=Response,
    responses={200: {"description": "A file", "model": ExportedRecords, "content": _FILES}},
)
async def export(
    entity: Annotated[ExportKind, Path(description="What to export")],
    principal: RecordsReader,
    services: Services,
    format_: Annotated[
        ExportFormat,
        Query(alias="format", description="`json`: one array; `ndjson`: one object a line"),
    ] = ExportFormat.JSON,
    is_woocommerce_only: Annotated[
        bool, Query(alias="wc_only", description="Leave out what no WooCommerce store has")
    ] = False,
    store_id: StoreIdQuery = None,
) -> Response:
    """All records of a kind, by id, however many: they are streamed.

    `externalId` and `storeId` say where a record is at WooCommerce; with `storeId` in the query
    only what that store has is exported. Products and inventory have a row for each variant. In
    CSV, text that a spreadsheet would take for a formula has an apostrophe before it. An export
    that cannot be finished breaks the connection off, so a file that came whole is whole.
    """
    stores = await woocommerce_stores(services, principal.tenant_id, store_id)
    wanted = ExportRequest(
        entity,
        format_,
        tuple(store.id for store in stores),
        is_linked_only=is_woocommerce_only or store_id is not None,
    )
    async with services.database.tenant(principal.tenant_id) as connection:
        await record_audit(
            connection,
            principal.tenant_id,
            principal.actor,
            "export.started",
            f"export/{entity.value}",
            format=format_.value,
            woocommerceOnly=wanted.is_linked_only,
            storeId=store_id,
        )
    # What fails before anything was sent is answered as every other failure is.
    with reading_reports(services) as reports:
        reader = ExportReader(reports, principal.tenant_id, wanted)
        first = await reader.read()
    name = f"{entity.value}-{now():%Y%m%dT%H%M%SZ}.{format_.value}"
    return ExportResponse(
        export_stream(reader, first),
        media_type=MEDIA_TYPES[format_],
        headers={
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "no-store",
        },
    )

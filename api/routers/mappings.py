"""`/api/stores/{id}/mapping`: a store's own rules for its fields."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Header
from starlette.responses import Response

from activities.mapping_preview import PreviewMappingInput
from api import problems
from api.answers import json_answer
from api.auth import StoresReader, StoresWriter
from api.connecting import get_store
from api.openapi_answers import ASKS_STORE
from api.params import JSON_BODY, StoreId
from api.problems import FieldProblem, ProblemError
from api.schemas.mappings import (
    MappingAnswer,
    MappingPreviewAnswer,
    PreviewMappingBody,
    PutMappingBody,
    RuleAnswer,
    tried,
)
from api.services import ApiServices, Services, now
from api.store_answers import store_problem, waiting_for_store
from db.audit import record_audit
from db.field_mappings import StoredMapping, load_mapping, save_mapping
from db.keys import Permission
from db.mapping_previews import MappingPreview, ask_preview, take_preview
from db.stores import Store
from domain.entities import Entity
from domain.field_mapping import MappingRule, check_rules

router = APIRouter(prefix="/api/stores", tags=["mapping"])

_DIGITS = 10

_log = structlog.get_logger(__name__)

IfMatch = Annotated[
    str | None,
    Header(alias="If-Match", max_length=40, description="The `ETag` of what is replaced"),
]


@router.get("/{store_id}/mapping", response_model=MappingAnswer, summary="Show a field mapping")
async def show(store_id: StoreId, principal: StoresReader, services: Services) -> Response:
    """The store's rules, and their version."""
    await get_store(services, principal.tenant_id, store_id)
    async with services.database.tenant(principal.tenant_id) as connection:
        stored = await load_mapping(connection, store_id)
    return _answer(store_id, stored)


@router.put(
    "/{store_id}/mapping",
    response_model=MappingAnswer,
    dependencies=JSON_BODY,
    summary="Replace a field mapping",
)
async def replace(
    store_id: StoreId,
    body: PutMappingBody,
    principal: StoresWriter,
    services: Services,
    if_match: IfMatch = None,
) -> Response:
    """Replace all rules of a store; an empty list takes them away.

    They apply to what is read from now on. Records that do not change in the store keep what they
    have until a sync with `force`, or an import, reads them again. A mapped field is the store's
    alone: what is changed in the hub is not sent to this store.
    """
    await get_store(services, principal.tenant_id, store_id)
    rules = [one.rule() for one in body.rules]
    _refuse(rules)
    expected = _expected(body.version, if_match)
    async with services.database.tenant(principal.tenant_id) as connection:
        stored = await save_mapping(
            connection, principal.tenant_id, store_id, rules, expected=expected
        )
        await record_audit(
            connection,
            principal.tenant_id,
            principal.actor,
            "mapping.changed",
            f"store/{store_id}",
            version=stored.version,
            targets=[f"{rule.entity.value}.{rule.target}" for rule in rules],
        )
    return _answer(store_id, stored)


@router.post(
    "/{store_id}/mapping/preview",
    response_model=MappingPreviewAnswer,
    dependencies=JSON_BODY,
    responses=ASKS_STORE,
    summary="Try a field mapping on one record",
)
async def preview(
    store_id: StoreId,
    body: PreviewMappingBody,
    principal: StoresWriter,
    services: Services,
) -> Response:
    """Read one real record of the store, and show what the rules would make of it.

    Nothing is changed. It takes the right to read records too, for it shows one.
    """
    if not principal.may(Permission.RECORDS_READ):
        raise ProblemError(
            problems.FORBIDDEN,
            f"A preview shows a record, and the caller lacks the permission "
            f"{Permission.RECORDS_READ.value!r}. Use a key, or log in as a person, that has it.",
        )
    store = await get_store(services, principal.tenant_id, store_id)
    async with services.database.tenant(principal.tenant_id) as connection:
        rules = (
            (await load_mapping(connection, store_id)).rules
            if body.rules is None
            else tuple(one.rule() for one in body.rules)
        )
        _refuse(rules)
        preview_id = await ask_preview(
            connection,
            principal.tenant_id,
            MappingPreview(store_id, Entity(body.entity), body.external_id, rules),
            expires_at=now() + timedelta(seconds=services.config.check_expires_s),
        )
    try:
        await _ask(
            services,
            store,
            PreviewMappingInput(
                tenant_id=principal.tenant_id, store_id=store_id, preview_id=preview_id
            ),
        )
    finally:
        async with services.database.tenant(principal.tenant_id) as connection:
            found = await take_preview(connection, preview_id)
    return json_answer(_preview(store_id, body, found))


async def _ask(services: ApiServices, store: Store, args: PreviewMappingInput) -> None:
    timeout_s = services.config.check_timeout_s
    with waiting_for_store(timeout_s, "mapping_preview_failed", store_id=store.id):
        result = await services.temporal.preview_mapping(
            args, provider=store.provider, timeout_s=timeout_s
        )
        if result.error_type is not None:
            raise store_problem(result.error_type, result.message)


def _preview(
    store_id: int, body: PreviewMappingBody, found: Mapping[str, Any] | None
) -> MappingPreviewAnswer:
    if found is None:
        _log.error("mapping_preview_lost", store_id=store_id)
        raise ProblemError(problems.INTERNAL, "It failed on our side. Try again later.")
    if (reason := found.get("reason")) is not None:
        raise problems.invalid("/externalId", str(reason))
    return MappingPreviewAnswer.model_validate(
        {
            **tried(found["record"]),
            "store_id": store_id,
            "entity": body.entity,
            "external_id": found["external_id"],
            "variants": [tried(one) for one in found["variants"]],
        }
    )


def _refuse(rules: Sequence[MappingRule]) -> None:
    """Refuse rules that cannot be used, all of them at once."""
    faults = check_rules(rules)
    if faults:
        raise ProblemError(
            problems.INVALID,
            "Some rules cannot be used: see `errors`.",
            errors=[
                FieldProblem(pointer=f"/rules/{one.index}/{one.member}", detail=one.reason)
                for one in faults
            ],
        )


def _expected(version: int | None, if_match: str | None) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return version
    told = if_match.strip().removeprefix("W/").strip('"')
    is_number = told.isascii() and told.isdigit() and len(told) < _DIGITS
    if not is_number or version not in {None, int(told)}:
        raise ProblemError(
            problems.BAD_REQUEST,
            "If-Match takes the ETag of GET /api/stores/{id}/mapping, and says the same as "
            "`version` where both are sent.",
        )
    return int(told)


def _answer(store_id: int, stored: StoredMapping) -> Response:
    answer = MappingAnswer(
        store_id=store_id,
        version=stored.version,
        updated_at=stored.updated_at,
        rules=[RuleAnswer.model_validate(one) for one in stored.rules],
    )
    return json_answer(answer, headers={"ETag": f'"{stored.version}"'})

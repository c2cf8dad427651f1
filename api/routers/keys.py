"""`/api/keys`: who may call the API, for what, from where and how often."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic.alias_generators import to_camel
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from api import problems
from api.answers import json_answer
from api.auth import KeysReader, KeysWriter
from api.idempotency import Idempotent
from api.key_bounds import refuse_later_end, refuse_wider
from api.paging import Cursor, Limit, after_id, next_cursor
from api.params import JSON_BODY, RecordId
from api.problems import CONFLICT, ProblemError
from api.schemas.keys import (
    ChangeKeyBody,
    CreateKeyBody,
    KeyAnswer,
    KeyListAnswer,
    KeyUsageAnswer,
    MadeKeyAnswer,
    RotatedKeyAnswer,
    RotateKeyBody,
    UsedDayAnswer,
)
from api.services import Services, now
from db.audit import record_audit
from db.key_usage import list_used_days
from db.keys import (
    KeySummary,
    NewKey,
    change_key,
    create_key,
    find_successor,
    list_keys,
    load_key,
    revoke_key,
    rotate_key,
)

router = APIRouter(prefix="/api/keys", tags=["keys"])

_LISTING = "keys"

Days = Annotated[int, Query(ge=1, le=366, description="How many days back, today among them")]


@router.get("", summary="List API keys")
async def list_(
    principal: KeysReader, services: Services, limit: Limit = 50, cursor: Cursor = None
) -> KeyListAnswer:
    """Keys by id, revoked and expired ones among them. Secrets are never shown again."""
    after = after_id(_LISTING, cursor)
    async with services.database.tenant(principal.tenant_id) as connection:
        rows = await list_keys(connection, after=after, limit=limit + 1)
    page = rows[:limit]
    return KeyListAnswer(
        data=[KeyAnswer.model_validate(one) for one in page],
        next_cursor=next_cursor(_LISTING, rows, limit),
    )


@router.post(
    "",
    status_code=201,
    response_model=MadeKeyAnswer,
    dependencies=JSON_BODY,
    summary="Make an API key",
)
async def create(
    body: CreateKeyBody, principal: KeysWriter, services: Services, idempotency: Idempotent
) -> Response:
    """Make a key with its secret, which is shown only in this answer.

    A key can be given nothing that the caller lacks: a permission, and where the caller is a key
    also an address, a longer life or a higher limit.
    """
    new = NewKey(
        name=body.name,
        type=body.type,
        permissions=tuple(dict.fromkeys(one.value for one in body.permissions)),
        expires_at=body.expires_at,
        ip_allow_list=tuple(dict.fromkeys(body.ip_allow_list)),
        requests_per_minute=body.requests_per_minute,
    )
    refuse_wider(principal, new, services.config)

    async def work(connection: AsyncConnection) -> Response:
        key, secret = await create_key(connection, principal.tenant_id, new)
        made = await _load(connection, key)
        await record_audit(
            connection,
            principal.tenant_id,
            principal.actor,
            "key.created",
            f"key/{made.id}",
            name=made.name,
            permissions=list(made.permissions),
        )
        answer = MadeKeyAnswer.model_validate(_shown(made) | {"secret": secret.get_secret_value()})
        response = json_answer(
            answer, status_code=201, headers={"Location": f"/api/keys/{made.id}"}
        )
        await idempotency.keep(connection, response)
        return response

    async def answer() -> Response:
        return await services.database.transact(principal.tenant_id, work)

    return await idempotency.run(principal, answer)


@router.get("/{record_id}", summary="Show an API key")
async def show(record_id: RecordId, principal: KeysReader, services: Services) -> KeyAnswer:
    """A key without its secret."""
    async with services.database.tenant(principal.tenant_id) as connection:
        return KeyAnswer.model_validate(await _load(connection, record_id))


@router.patch("/{record_id}", dependencies=JSON_BODY, summary="Change an API key")
async def change(
    record_id: RecordId, body: ChangeKeyBody, principal: KeysWriter, services: Services
) -> KeyAnswer:
    """Change its name, its end, where it may be used from, or how often.

    It acts with the next request. What becomes of the key may not go beyond the caller. The end
    of a key that was rotated can only be moved forward; another that expired can come back.
    """

    async def work(connection: AsyncConnection) -> KeyAnswer:
        held = await _load(connection, record_id, for_update=True)
        values = body.named()
        changed = replace(held, **values)
        refuse_wider(principal, changed, services.config)
        if held.revoked_at is not None:
            raise ProblemError(CONFLICT, f"Key {record_id} is revoked: make a new key.")
        if "expires_at" in values:
            successor = await find_successor(connection, record_id)
            refuse_later_end(held, changed.expires_at, successor)
        if values:
            await change_key(connection, record_id, values)
            is_back = changed.is_in_force(now()) and not held.is_in_force(now())
            await record_audit(
                connection,
                principal.tenant_id,
                principal.actor,
                "key.updated",
                f"key/{record_id}",
                fields=sorted(map(to_camel, values)),
                **({"revived": True} if is_back else {}),
            )
        return KeyAnswer.model_validate(await _load(connection, record_id))

    return await services.database.transact(principal.tenant_id, work)


@router.delete("/{record_id}", status_code=204, summary="Revoke an API key")
async def revoke(record_id: RecordId, principal: KeysWriter, services: Services) -> Response:
    """The key opens nothing from the next request on, and never again. It stays in the list."""

    async def work(connection: AsyncConnection) -> None:
        held = await _load(connection, record_id, for_update=True)
        if await revoke_key(connection, record_id):
            await record_audit(
                connection,
                principal.tenant_id,
                principal.actor,
                "key.revoked",
                f"key/{record_id}",
                name=held.name,
            )

    await services.database.transact(principal.tenant_id, work)
    return Response(status_code=204)


@router.post(
    "/{record_id}/rotate",
    status_code=201,
    response_model=RotatedKeyAnswer,
    summary="Rotate an API key",
)
async def rotate(
    record_id: RecordId,
    principal: KeysWriter,
    services: Services,
    idempotency: Idempotent,
    body: RotateKeyBody | None = None,
) -> Response:
    """Make a new key with the same rights; the old one works on until the overlap is over.

    The new key may not go beyond the caller: the answer has its secret.
    """
    asked = body or RotateKeyBody()

    async def work(connection: AsyncConnection) -> Response:
        held = await _load(connection, record_id, for_update=True)
        ends_at = asked.expires_at or held.expires_at
        refuse_wider(principal, replace(held, expires_at=ends_at), services.config)
        moment = now()
        key, secret = await rotate_key(
            connection,
            principal.tenant_id,
            held,
            now=moment,
            ends_at=moment + timedelta(hours=asked.overlap_hours),
            expires_at=ends_at,
        )
        made, ended = await _load(connection, key), await _load(connection, record_id)
        await record_audit(
            connection,
            principal.tenant_id,
            principal.actor,
            "key.rotated",
            f"key/{record_id}",
            newKeyId=made.id,
            overlapHours=asked.overlap_hours,
        )
        more = {"secret": secret.get_secret_value(), "old_key_ends_at": ended.expires_at}
        response = json_answer(
            RotatedKeyAnswer.model_validate(_shown(made) | more),
            status_code=201,
            headers={"Location": f"/api/keys/{made.id}"},
        )
        await idempotency.keep(connection, response)
        return response

    async def answer() -> Response:
        return await services.database.transact(principal.tenant_id, work)

    return await idempotency.run(principal, answer)


@router.get("/{record_id}/usage", summary="Show how much an API key was used")
async def usage(
    record_id: RecordId, principal: KeysReader, services: Services, days: Days = 30
) -> KeyUsageAnswer:
    """Requests by day (UTC), some seconds behind.

    Counts are added up every few seconds: a server that is killed loses those of the last ones.
    """
    since = now().date() - timedelta(days=days - 1)
    async with services.database.tenant(principal.tenant_id) as connection:
        held = await _load(connection, record_id)
        used = await list_used_days(connection, record_id, since=since)
    return KeyUsageAnswer(
        key_id=held.id,
        last_used_at=held.last_used_at,
        requests=sum(one.requests for one in used),
        refused=sum(one.refused for one in used),
        failed=sum(one.failed for one in used),
        days=[UsedDayAnswer.model_validate(one) for one in used],
    )


async def _load(
    connection: AsyncConnection, which: int | str, *, for_update: bool = False
) -> KeySummary:
    held = await load_key(connection, which, for_update=for_update)
    if held is None:
        raise problems.not_found(f"key {which}", "/api/keys")
    return held


def _shown(key: KeySummary) -> dict[str, object]:
    return KeyAnswer.model_validate(key).model_dump(by_alias=False)

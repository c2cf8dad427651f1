"""`POST /api/woocommerce-sync/webhook/test`: what an event would do."""

from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import Response

from api.answers import json_answer
from api.auth import Principal, SyncsWriter
from api.demanding import check_active
from api.idempotency import Idempotent
from api.params import JSON_BODY
from api.problems import FORBIDDEN, ProblemError
from api.schemas.woocommerce_webhook_test import WebhookTestAnswer, WebhookTestBody
from api.services import Services
from api.webhook_trials import Event, TrialDesk, answer_of
from api.woocommerce_sync.asking import named_store
from api.woocommerce_sync.stores import StoreIdQuery, pick_store
from db.keys import Permission

router = APIRouter(prefix="/api/woocommerce-sync", tags=["woocommerce-sync"])

Desk = Annotated[TrialDesk, Depends(TrialDesk)]


@router.post(
    "/webhook/test",
    response_model=WebhookTestAnswer,
    responses={
        202: {"model": WebhookTestAnswer, "description": "It takes longer than 10 s, and goes on"}
    },
    summary="Try a webhook",
    dependencies=JSON_BODY,
)
async def try_webhook(
    body: WebhookTestBody,
    principal: SyncsWriter,
    services: Services,
    idempotency: Idempotent,
    desk: Desk,
    store_id: StoreIdQuery = None,
) -> Response:
    """Show what an event would do to the hub's records, field by field, and do nothing.

    With `apply` it then goes through the store's inbox as if the shop had sent it; your key stands
    in for the shop's signature. A body that is not the whole record is never written: the record
    is read again from the store.
    """
    _check_apply(principal, body)

    async def work() -> Response:
        wanted = named_store(store_id, body.store_id)
        store = await pick_store(services, principal.tenant_id, wanted)
        if body.apply:
            check_active(store)
        event = Event(store, desk.delivery(store, body.event, body.data))
        verdict = await desk.judge(principal, event)
        if not body.apply:
            return json_answer(answer_of(principal, event, verdict))
        applied = await desk.apply(principal, event)
        answer = answer_of(principal, event, verdict, applied)
        is_over = applied.state.status != "pending"
        headers = {} if is_over else {"Location": str(answer.status_url)}
        return json_answer(answer, status_code=200 if is_over else 202, headers=headers)

    return await idempotency.run(principal, work)


def _check_apply(principal: Principal, body: WebhookTestBody) -> None:
    if body.apply and not principal.may(Permission.RECORDS_WRITE):
        raise ProblemError(
            FORBIDDEN,
            "With `apply` the event changes records as the store's own word would: use a key or a "
            f"login with the permission {Permission.RECORDS_WRITE.value}, or leave `apply` out.",
        )

"""Trying webhooks: what an event would do, and putting it into the store's inbox."""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from activities.stores import OpenConfig, open_config
from activities.webhook_trial import Verdict, WebhookTrial
from api import problems
from api.auth import Principal
from api.field_changes import fields_view
from api.problems import CONFLICT, TOO_LARGE, FieldProblem, ProblemError
from api.schemas.woocommerce_webhook_test import RelatedChangeAnswer, WebhookTestAnswer
from api.services import Services
from db.audit import record_audit
from db.staging import Origin
from db.stores import Store
from db.trial_events import ROUTE, EventState, add_trial_event, find_event_state
from domain.deliveries import Delivery, Notice
from domain.errors import NotFoundError, SecretError, StoreGoneError
from domain.lanes import LaneKind
from providers._kit.protocols import Webhooks

WAIT_S: Final = 10.0
"""How long a person waits for the inbox before being told where to look."""

_LOOK_S: Final = 0.1
_PENDING: Final = "pending"


@dataclass(frozen=True, slots=True)
class Event:
    """An event to be tried, of one store."""

    store: Store
    delivery: Delivery = field(repr=False)


@dataclass(frozen=True, slots=True)
class Applied:
    """An event in the inbox, and how far it is."""

    event_id: int
    state: EventState


class TrialDesk:
    """A dependency of the routes that try webhooks."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def delivery(self, store: Store, topic: str, data: Mapping[str, Any]) -> Delivery:
        """The event as the shop would send it, without its signature.

        Raises:
            ProblemError: 422, a topic that the provider does not have, or data that is no JSON of
                the wire; 413, it is too large.
        """
        topics = sorted(self._webhooks(store).topics)
        if topic not in topics:
            detail = f"There is no such topic. Send one of {', '.join(topics)}."
            raise problems.invalid("/event", detail)
        try:
            json.dumps(data, ensure_ascii=False).encode()
            body = json.dumps(data, allow_nan=False).encode()
        except (ValueError, RecursionError):
            raise problems.invalid(
                "/data", "It cannot be sent as JSON: leave out NaN, infinity and half characters."
            ) from None
        limit = self._services.config.webhook_limit_bytes
        if len(body) > limit:
            detail = f"A webhook has at most {limit} bytes."
            pointer = FieldProblem(pointer="/data", detail=detail)
            raise ProblemError(TOO_LARGE, detail, errors=[pointer])
        return Delivery(route=ROUTE, headers={}, body=body, topic=topic)

    async def judge(self, principal: Principal, event: Event) -> Verdict:
        """What it would do. Raises ProblemError (404, 409)."""
        tenant_id, store = principal.tenant_id, event.store
        opened = await self._open(tenant_id, store)
        trial = WebhookTrial(self._services.database, opened, Origin(tenant_id, store.id))
        return await trial.judge(event.delivery)

    async def apply(self, principal: Principal, event: Event) -> Applied:
        """Put it into the inbox and wait for what becomes of it, for `WAIT_S` at most."""
        tenant_id, store = principal.tenant_id, event.store
        notice = self._notice(event)
        async with self._services.database.tenant(tenant_id) as connection:
            event_id = await add_trial_event(
                connection, tenant_id, store.id, notice, event.delivery.body
            )
            await record_audit(
                connection,
                tenant_id,
                principal.actor,
                "webhook.tested",
                f"store/{store.id}",
                eventId=event_id,
                topic=notice.topic,
            )
        await self._services.waker.wake(tenant_id, LaneKind.INBOX, store.id)
        return Applied(event_id, await self._wait(tenant_id, store.id, event_id))

    async def _wait(self, tenant_id: int, store_id: int, event_id: int) -> EventState:
        ends = time.monotonic() + WAIT_S
        while True:
            async with self._services.database.tenant(tenant_id) as connection:
                state = await find_event_state(connection, store_id, event_id)
            if state is None:
                raise problems.not_found(
                    f"webhook event {event_id}", f"/api/stores/{store_id}/webhook-events"
                )
            # What failed once is tried again in minutes.
            if state.status != _PENDING or state.attempts or time.monotonic() >= ends:
                return state
            await asyncio.sleep(_LOOK_S)

    async def _open(self, tenant_id: int, store: Store) -> OpenConfig:
        services = self._services
        try:
            return await open_config(
                services.database,
                services.secrets,
                services.registry,
                (tenant_id, store.id),
                even_inactive=True,
            )
        except StoreGoneError:
            raise problems.not_found(f"store {store.id}", "/api/stores") from None
        except (SecretError, NotFoundError) as error:
            raise ProblemError(CONFLICT, f"Store {store.id} cannot be read: {error}") from None

    def _webhooks(self, store: Store) -> Webhooks:
        webhooks = self._services.registry.get(store.provider).webhooks
        if webhooks is None:
            raise ProblemError(CONFLICT, f"Store {store.id} sends no webhooks.")
        return webhooks

    def _notice(self, event: Event) -> Notice:
        return self._webhooks(event.store).describe(event.delivery)


def answer_of(
    principal: Principal, event: Event, verdict: Verdict, applied: Applied | None = None
) -> WebhookTestAnswer:
    """What is answered; personal data is hidden from who may not read records."""
    state = applied.state if applied is not None else None
    return WebhookTestAnswer.model_validate(
        {
            "store_id": event.store.id,
            "event": event.delivery.topic,
            "event_type": verdict.event_type,
            "entity": None if verdict.entity is None else verdict.entity.value,
            "external_id": verdict.external_id,
            "record_id": verdict.record_id,
            "would_do": verdict.would_do,
            "reason": verdict.reason,
            "diff": fields_view(principal, verdict.fields),
            "related": [
                RelatedChangeAnswer(
                    entity=one.entity,
                    action=one.action,
                    external_id=one.external_id,
                    record_id=one.record_id,
                    fields=fields_view(principal, one.fields),
                )
                for one in verdict.related
            ],
            "pushes_to_follow": verdict.queued,
            "applied": applied is not None,
            "event_id": None if applied is None else applied.event_id,
            "status": None if state is None else state.status,
            "outcome": None if state is None else state.outcome,
            "error_message": None if state is None else state.error_message,
            "status_url": None
            if applied is None
            else f"/api/stores/{event.store.id}/webhook-events",
        }
    )

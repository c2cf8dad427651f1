"""The webhook ingress: from a request to a durable event, or to a refusal.

A delivery is genuine or it leaves nothing but a count. What is genuine is committed before it is
answered, and the store's inbox lane is woken after: the answer waits for neither Temporal nor the
work. Nothing here is rate limited: shops that are refused switch their webhooks off.
"""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from api import problems
from api.ingress_background import InboxBell, WebhookCounters
from api.ingress_doors import Door, Doors, Found
from api.ingress_writer import EventWriter
from api.problems import ProblemError
from api.services import ApiServices, now
from db.ingress import NewEvent
from domain.deliveries import Delivery
from domain.errors import NotFoundError
from providers._kit.protocols import Webhooks

_NO_KEY: Final = secrets.token_bytes(32)
_LOOKS: Final = 3
_TEXT_LIMITS: Final = {"event_type": 50, "topic": 100, "external_id": 200}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A delivery, and the address it came from."""

    delivery: Delivery
    address: str


class _Verdict(Enum):
    """What became of a delivery at one store. `OUTDATED`: the store was changed since we looked."""

    TAKEN = auto()
    FORGED = auto()
    BLOCKED = auto()
    OUTDATED = auto()


class Ingress:
    """Takes webhooks in, for one process."""

    def __init__(self, services: ApiServices) -> None:
        self._services = services
        self._doors = Doors(services)
        self.counters = WebhookCounters(services.database)
        self._bell = InboxBell(services.database, services.waker)
        self._writer = EventWriter(services.database, self._bell.ring)

    async def receive(self, code: str, arrival: Arrival) -> Door:
        """A delivery to a store's own address; returns the store it is for.

        Raises:
            ProblemError: 404 for a code that no store has, 403 for an address that may not send,
                401 for what is not genuine.
        """
        return await self._admit(lambda fresh: self._doors.by_code(code, fresh=fresh), arrival)

    async def receive_by_source(self, provider: str, arrival: Arrival) -> Door | None:
        """A delivery that names its shop alone; the signature decides whose it is.

        None: it is the shop's unsigned test, which is for no store. Raises ProblemError as
        `receive` does.
        """
        webhooks = self._webhooks(provider)
        if webhooks.is_ping(arrival.delivery):
            return None
        source = webhooks.source(arrival.delivery)
        if source is None:
            _same_work(arrival.delivery)
            raise _forged()
        return await self._admit(
            lambda fresh: self._doors.by_source(provider, source, fresh=fresh),
            arrival,
            unknown=_forged,
        )

    async def receive_for_organization(
        self, provider: str, organization_id: str, arrival: Arrival
    ) -> Door | None:
        """A delivery that names the tenant; the signature decides which store it is for.

        None: it is the shop's unsigned test. Raises ProblemError as `receive` does.
        """
        webhooks = self._webhooks(provider)
        if webhooks.is_ping(arrival.delivery):
            return None
        source = webhooks.source(arrival.delivery)
        return await self._admit(
            lambda fresh: self._doors.by_organization(
                provider, organization_id, source, fresh=fresh
            ),
            arrival,
        )

    async def count_too_large(self, code: str) -> None:
        """A body was refused for its size."""
        found = await self._doors.by_code(code)
        for door in found.doors:
            self.counters.add(door.tenant_id, door.store_id, "too_large")

    async def close(self) -> None:
        """Finish what is under way."""
        await self._writer.close()
        await self._bell.close()
        await self.counters.close()

    async def _admit(
        self,
        find: Callable[[bool], Awaitable[Found]],
        arrival: Arrival,
        *,
        unknown: Callable[[], ProblemError] | None = None,
    ) -> Door:
        found, looks = await find(False), 1
        while True:
            verdict = _Verdict.FORGED
            for door in found.doors:
                verdict = await self._try(door, arrival)
                if verdict is _Verdict.TAKEN:
                    return door
            if not found.doors:
                _same_work(arrival.delivery)
            if looks == _LOOKS or (found.is_fresh and verdict is not _Verdict.OUTDATED):
                break
            found, looks = await find(True), looks + 1
        if not found.doors:
            raise unknown() if unknown else _unknown()
        is_blocked = verdict is _Verdict.BLOCKED
        if len(found.doors) == 1:
            only, name = found.doors[0], "blocked_ip" if is_blocked else "forged"
            self.counters.add(only.tenant_id, only.store_id, name)
        raise _blocked() if is_blocked else _forged()

    async def _try(self, door: Door, arrival: Arrival) -> "_Verdict":
        """Take the delivery in for this store, or say why not."""
        delivery = arrival.delivery
        if not door.lets_in(arrival.address):
            return _Verdict.BLOCKED
        if door.webhooks.is_ping(delivery):
            self.counters.add(door.tenant_id, door.store_id, "ping")
            return _Verdict.TAKEN
        if not door.webhooks.is_genuine(door.config, delivery, now=now()):
            return _Verdict.FORGED
        if not await self._writer.keep(_event(door, delivery)):
            return _Verdict.OUTDATED
        self.counters.add(door.tenant_id, door.store_id, "accepted")
        return _Verdict.TAKEN

    def _webhooks(self, provider: str) -> Webhooks:
        try:
            webhooks = self._services.registry.get(provider).webhooks
        except NotFoundError:
            webhooks = None
        if webhooks is None:
            raise _unknown()
        return webhooks


def _event(door: Door, delivery: Delivery) -> NewEvent:
    notice = door.webhooks.describe(delivery)
    external_id = notice.external_id
    if external_id is not None and _storable(external_id, "external_id") != external_id:
        external_id = None
    return NewEvent(
        tenant_id=door.tenant_id,
        store_id=door.store_id,
        iv=door.iv,
        event_type=_storable(notice.event_type, "event_type"),
        topic=_storable(notice.topic, "topic"),
        entity=None if notice.entity is None else notice.entity.value,
        external_id=external_id,
        route=delivery.route,
        headers={name: value.replace("\0", "") for name, value in notice.kept_headers.items()},
        body=delivery.body,
    )


def _storable(text: str, column: str) -> str:
    """What PostgreSQL keeps of a text: valid UTF-8, no NUL, and as much as the column holds."""
    clean = text.replace("\0", "").encode("utf-8", "replace").decode()
    return clean[: _TEXT_LIMITS[column]]


def _same_work(delivery: Delivery) -> None:
    """What a code that exists costs, so that the time of an answer does not tell."""
    hmac.digest(_NO_KEY, delivery.body, "sha256")


def _forged() -> ProblemError:
    return ProblemError(
        problems.BAD_SIGNATURE,
        "The signature does not fit. Enter the webhook secret of this store in the shop, exactly "
        "as it is.",
    )


def _blocked() -> ProblemError:
    return ProblemError(
        problems.FORBIDDEN,
        "The store takes webhooks from certain addresses only, and this is none of them: see "
        "ipAllowList in its settings.",
    )


def _unknown() -> ProblemError:
    return ProblemError(
        problems.NOT_FOUND,
        "Nothing has this webhook address. GET /api/stores shows where each store's webhooks go.",
    )

"""How a store stands, and what a person should do about it."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from api.schemas.woocommerce_status import (
    BacklogAnswer,
    ConnectionAnswer,
    Health,
    LaneAnswer,
    RateLimitAnswer,
    ReasonAnswer,
    Severity,
    StoreStatusAnswer,
)
from db.reports_status import StoreState
from db.stores import Store

OVERDUE: Final = timedelta(minutes=5)
"""Webhooks and pushes that wait longer, without their lane being on its ladder, are told."""

CHECK_OVERDUE: Final = timedelta(days=1)
"""A store that nothing was asked of for longer is told."""

_WORST: Final[Sequence[Health]] = ("healthy", "degraded", "down")


def worst(statuses: Sequence[Health]) -> Health:
    """The worst of them; healthy if there are none."""
    return max(statuses, key=_WORST.index, default="healthy")


def health_of(reasons: Sequence[ReasonAnswer]) -> Health:
    """What the reasons come to; notices change nothing."""
    return worst([one.severity for one in reasons if one.severity != "notice"])


def store_status(
    store: Store, state: StoreState, *, per_minute: float | None, at: datetime
) -> StoreStatusAnswer:
    """One store. `per_minute` is the request limit of its provider, if it has one."""
    reasons = [
        *_of_connection(store, state, at),
        *_of_lanes(store, state),
        *_of_backlog(store, state, at),
        *_of_people(store, state),
    ]
    return StoreStatusAnswer(
        store_id=store.id,
        name=store.name,
        status=health_of(reasons),
        reasons=reasons,
        is_active=store.is_active,
        sync_status=store.sync_status,
        connection=_connection(state),
        rate_limit=_rate_limit(state, per_minute, at),
        backlog=BacklogAnswer(
            webhooks_pending=state.inbox_pending,
            webhooks_oldest_at=state.inbox_oldest_at,
            pushes_pending=state.pushes_pending,
            pushes_oldest_at=state.pushes_oldest_at,
            pushes_failed=state.pushes_failed,
        ),
        lanes=[
            LaneAnswer.model_validate({**lane, "is_paused": lane["paused_reason"] is not None})
            for lane in state.lanes
        ],
        open_conflicts=state.open_conflicts,
        open_alerts=state.open_alerts,
        last_sync={one["entity"]: one["updated_at"] for one in state.cursors},
    )


def _reason(severity: Severity, code: str, message: str, action: str) -> ReasonAnswer:
    return ReasonAnswer(severity=severity, code=code, message=message, action=action)


def _connection(state: StoreState) -> ConnectionAnswer:
    health = state.health or {}
    return ConnectionAnswer(
        is_connected=health.get("is_connected"),
        message=health.get("message", ""),
        latency_ms=health.get("latency_ms"),
        last_check_at=health.get("checked_at"),
        connected_at=health.get("connected_at"),
        checked_by=_checked_by(state),
    )


def _checked_by(state: StoreState) -> str | None:
    """Every scheduled run begins with a request: it is the sign of life of an idle store."""
    running = [one for one in state.schedules if not one["paused"]]
    return "; ".join(f"{one['kind']} {_when(one['spec'])}" for one in running) or None


def _when(spec: Mapping[str, Any]) -> str:
    if spec.get("cron"):
        return f"at {spec['cron']} ({spec.get('timeZone', 'UTC')})"
    return f"every {spec['interval']}"


def _rate_limit(state: StoreState, per_minute: float | None, at: datetime) -> RateLimitAnswer:
    budget = state.budget or {}
    blocked, slot = budget.get("blocked_until"), budget.get("next_slot_at")
    left = None
    if per_minute is not None:
        # Requests leave one interval apart, the next one when its slot comes.
        wait_s = max([(one - at).total_seconds() for one in (blocked, slot) if one] + [0.0])
        left = int(max(0.0, 60.0 - wait_s) * per_minute / 60)
    return RateLimitAnswer(
        requests_per_minute=per_minute,
        left_in_next_minute=left,
        slowdown=budget.get("slowdown", 1),
        blocked_until=blocked if blocked and blocked > at else None,
    )


def _of_connection(store: Store, state: StoreState, at: datetime) -> list[ReasonAnswer]:
    if not store.is_active:
        return [
            _reason(
                "degraded",
                "inactive",
                "The store is not active: nothing is synced.",
                f"PATCH /api/stores/{store.id}/activate brings it up to date.",
            )
        ]
    found = []
    health = state.health
    if health is not None and not health["is_connected"]:
        found.append(
            _reason(
                "down",
                "not-connected",
                health["message"],
                f"POST /api/stores/{store.id}/test-connection tries it now.",
            )
        )
    is_old = health is None or at - health["checked_at"] > CHECK_OVERDUE
    if _checked_by(state) is None:
        found.append(
            _reason(
                "notice",
                "nothing-scheduled",
                "Nothing asks the store regularly, so the last check is as old as the last sync.",
                f"PUT /api/stores/{store.id}/schedule makes it regular.",
            )
        )
    elif is_old:
        found.append(
            _reason(
                "degraded",
                "check-overdue",
                "A schedule is there, but nothing was asked of the store for a day.",
                "See whether workers run and Temporal answers: `system` of this answer.",
            )
        )
    return found


def _of_lanes(store: Store, state: StoreState) -> list[ReasonAnswer]:
    retry = f"POST /api/stores/{store.id}/retry-failed-sync lets it go on."
    found = []
    for lane in state.lanes:
        if lane["paused_reason"] is not None:
            message = f"The {lane['kind']} lane is paused: {lane['paused_reason']}"
            found.append(_reason("degraded", f"{lane['kind']}-paused", message, retry))
        elif lane["failures"]:
            message = (
                f"The {lane['kind']} lane failed {lane['failures']} times: {lane['last_error']}"
            )
            action = f"It is tried again by itself; {retry}"
            found.append(_reason("degraded", f"{lane['kind']}-failing", message, action))
    return found


def _of_backlog(store: Store, state: StoreState, at: datetime) -> list[ReasonAnswer]:
    found = []
    if store.sync_status == "failed" and store.last_sync_error:
        found.append(
            _reason(
                "degraded",
                "sync-failed",
                f"The last sync failed: {store.last_sync_error}",
                f"POST /api/stores/{store.id}/sync tries again.",
            )
        )
    if state.pushes_failed:
        found.append(
            _reason(
                "degraded",
                "pushes-failed",
                f"{state.pushes_failed} records could not be sent to the store.",
                f"See GET /api/stores/{store.id}/pushes?status=failed, then "
                f"POST /api/stores/{store.id}/retry-failed-sync.",
            )
        )
    failing = {one["kind"] for one in state.lanes if one["failures"] or one["paused_reason"]}
    for kind, what, oldest in (
        ("inbox", "Webhooks", state.inbox_oldest_at),
        ("push", "Pushes", state.pushes_oldest_at),
    ):
        if oldest is not None and at - oldest > OVERDUE and kind not in failing:
            found.append(
                _reason(
                    "degraded",
                    f"{kind}-overdue",
                    f"{what} wait for more than {OVERDUE.seconds // 60} minutes.",
                    "See whether workers run and Temporal answers: `system` of this answer.",
                )
            )
    return found


def _of_people(store: Store, state: StoreState) -> list[ReasonAnswer]:
    found = []
    if state.open_conflicts:
        found.append(
            _reason(
                "notice",
                "conflicts-open",
                f"{state.open_conflicts} conflicts wait for a decision.",
                f"GET /api/woocommerce-sync/conflicts?storeId={store.id} suggests one for each.",
            )
        )
    if state.open_alerts:
        found.append(
            _reason(
                "notice",
                "alerts-open",
                f"{state.open_alerts} alerts are open.",
                f"GET /api/alerts?storeId={store.id}&status=open says what to do about each.",
            )
        )
    return found

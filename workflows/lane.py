"""The lane protocol, from the side of the workflow: when a turn is taken, and when there is none.

What there is to do stands in PostgreSQL, and so does how long a lane waits. A turn (one activity)
reads it; this decides only when the next turn is, and ends when there will be none.
"""

from datetime import timedelta

from activities.draining import DrainInput, DrainResult, LaneActivities, LaneState
from domain.lanes import LaneKind
from temporalio import workflow

from workflows import policies
from workflows.models import LaneInput, LaneResult

_AT_ONCE = frozenset({LaneState.BUSY, LaneState.LOST})


class LaneWorkflow:
    """What the workflows of all lanes are. Each defines `run`, as Temporal wants it."""

    def __init__(self, args: LaneInput) -> None:
        self._args = args
        self._woken = False
        self._settled = args.settled

    @workflow.signal
    def wake(self) -> None:
        """There is something to look at: a new row, or a person resumed the lane."""
        self._woken = True

    async def _drain(self) -> LaneResult:
        """Take turns until nothing is due, now or later."""
        while True:
            # Before the turn: what is added while it looks must not be forgotten after it.
            self._woken = False
            self._tell("at work")
            result = await self._take_turn()
            self._settled += result.settled
            if result.state not in _AT_ONCE and result.next_at is None and not self._woken:
                return LaneResult(state=result.state, settled=self._settled)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._args.model_copy(update={"settled": self._settled}))
            if result.state not in _AT_ONCE:
                await self._wait(result)

    async def _take_turn(self) -> DrainResult:
        args = self._args
        policy = policies.DRAIN_INBOX if args.kind is LaneKind.INBOX else policies.DRAIN
        return await workflow.execute_activity_method(
            LaneActivities.drain_lane,
            DrainInput(
                tenant_id=args.tenant_id,
                kind=args.kind,
                key=args.key,
                now=workflow.now(),
                ladder_s=args.ladder_s,
            ),
            **policy,
        )

    async def _wait(self, result: DrainResult) -> None:
        """Until the lane is due or woken. A wake makes it look, not hurry: the lane's row says
        whether its wait is over."""
        self._tell(_words(result))
        delay = timedelta() if result.next_at is None else result.next_at - workflow.now()
        if self._woken or delay <= timedelta():
            return
        try:
            await workflow.wait_condition(
                lambda: self._woken, timeout=delay, timeout_summary=f"{result.state.value} lane"
            )
        except TimeoutError:
            return

    def _tell(self, what: str) -> None:
        """Keep the details in the Temporal UI true."""
        workflow.set_current_details(f"**{what}**\n\n{self._settled} rows settled")


def _words(result: DrainResult) -> str:
    until = "" if result.next_at is None else f" until {result.next_at:%Y-%m-%d %H:%M:%S} UTC"
    if result.state is LaneState.WAITING:
        tries = f", failures in a row: {result.failures}" if result.failures else ""
        return f"waiting for the store{until}{tries}: {(result.reason or '')[:200]}"
    if result.state is LaneState.PAUSED:
        return f"paused: {(result.reason or '')[:200]}"
    return f"nothing is due{until}"

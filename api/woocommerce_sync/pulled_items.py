"""What became of one record that was asked for."""

from typing import Final

from activities.models import Counts
from api.demanding import Shown
from api.problems import NOT_FOUND, ProblemError
from api.schemas.woocommerce_sync_pulls import PulledItemAnswer
from api.services import ApiServices
from api.temporal import Started
from db.demands import find_linked, find_rejection
from workflows.models import DemandInput, DemandResult

_OUTCOMES: Final = ("rejected", "deleted", "created", "updated", "unchanged")


def shown_item(services: ApiServices, args: DemandInput) -> Shown:
    """How the demand for one record is answered. Raises ProblemError (404) for an unknown one."""

    async def show(result: DemandResult, started: Started) -> PulledItemAnswer:
        (demand,) = args.pulls
        (external_id,) = demand.external_ids
        counts = result.counts.pulled.get(demand.entity, Counts())
        outcome = next((name for name in _OUTCOMES if getattr(counts, name)), None)
        reason = None
        async with services.database.tenant(args.tenant_id) as connection:
            linked = await find_linked(connection, args.store_id, demand.entity, external_id)
            if outcome == "rejected" and result.run_id is not None:
                reason = await find_rejection(connection, result.run_id, demand.entity)
        if outcome is None and linked is not None:
            outcome = "deleted" if linked.is_gone else "unchanged"
        if outcome is None:
            raise ProblemError(
                NOT_FOUND,
                f"Store {args.store_id} has no {demand.entity.value.removesuffix('s')} "
                f"{external_id}: ask with an id as the store shows it.",
            )
        return PulledItemAnswer.model_validate(
            {
                "outcome": outcome,
                "external_id": external_id,
                "record_id": None if linked is None else linked.record_id,
                "reason": reason,
                "workflow_id": started.workflow_id,
            }
        )

    return show

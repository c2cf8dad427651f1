"""Starting a store's import."""

from collections.abc import Sequence

from api.on_record import Intent, start_on_record
from api.problems import CONFLICT, ProblemError
from api.schemas.syncs import StartedImportAnswer
from api.services import ApiServices
from api.temporal import Started
from db.audit import Actor
from db.stores import Store, mark_import_pending
from workflows.ids import import_id
from workflows.models import ImportStoreInput


def status_path(workflow_id: str) -> str:
    """Where the state of a workflow can be read."""
    return f"/api/syncs/{workflow_id}"


async def start_import(
    services: ApiServices, tenant_id: int, store: Store, *, actor: Actor
) -> Started:
    """Start the import, or find the one that is running. `actor` is who asked for it.

    Raises:
        ProblemError: 409, the store is not active.
        TemporalUnavailableError: it could not be started.
    """
    if not store.is_active:
        raise ProblemError(CONFLICT, f"Store {store.id} is not active, so it is not imported.")
    args = ImportStoreInput(
        tenant_id=tenant_id,
        store_id=store.id,
        provider=store.provider,
        ladder_s=services.config.ladder_s,
    )
    started = await start_on_record(
        services,
        Intent(tenant_id, actor, "import.started", f"store/{store.id}"),
        import_id(store.id),
        lambda: services.temporal.start_import(args),
    )
    if not started.already_running:
        async with services.database.tenant(tenant_id) as connection:
            await mark_import_pending(
                connection, store.id, last_attempt_at=store.last_sync_attempt_at
            )
    return started


def started_view(
    services: ApiServices, started: Started, *, unheard: Sequence[str] = ()
) -> StartedImportAnswer:
    """The answer to a start. `unheard`: the members of the body that only a new run would heed."""
    return StartedImportAnswer(
        workflow_id=started.workflow_id,
        run_id=started.run_id or None,
        status_url=status_path(started.workflow_id),
        temporal_ui_url=services.workflow_page(started.workflow_id),
        already_running=started.already_running,
        warning=_unheard(unheard) if unheard and started.already_running else None,
    )


def _unheard(members: Sequence[str]) -> str:
    return (
        "One was running already, and goes on as it was asked for then, whatever this request says "
        f"of {' and '.join(members)}. Send it again after its end, or cancel it first."
    )

"""Trying credentials."""

from temporalio import activity

from activities.errors import translated
from activities.models import ProbeStoreInput, ProbeStoreResult
from activities.stores import StoreOpener
from db.session import Database
from db.store_checks import discard_check
from domain.errors import PermanentStoreError


class CheckActivities:
    """The steps of `CheckStoreWorkflow`."""

    def __init__(self, database: Database, opener: StoreOpener) -> None:
        self._database = database
        self._opener = opener

    @activity.defn
    async def probe_store(self, args: ProbeStoreInput) -> ProbeStoreResult:
        """Try the credentials of a check. A clear no of the store is a result, not a failure."""
        with translated():
            try:
                client = await self._opener.open_check(args.tenant_id, args.store_check_id)
                facts = await client.probe()
            except PermanentStoreError as error:
                return ProbeStoreResult(error_type=type(error).__name__, message=str(error))
            return ProbeStoreResult(facts=facts.model_dump(mode="json"))

    @activity.defn
    async def discard_store_check(self, args: ProbeStoreInput) -> None:
        """Delete the check; it is no error that it is gone."""
        with translated():
            async with self._database.tenant(args.tenant_id) as connection:
                await discard_check(connection, args.store_check_id)

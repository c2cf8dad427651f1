"""Reading a store before it is written to, where nobody's change may be overwritten unseen.

An update says what a field becomes, and no store here can be told "only if it is still so". Where
a store's policy holds conflicts for a person, its records are therefore read right before their
update: what was changed there meanwhile is merged first. What stays open is the time between that
answer and the arrival of the update. What a person forces is not read first: the hub wins.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from activities.lanes import wake_pushes
from activities.push_batch import Errand, Item
from db.apply import Applied, apply
from db.staging import Origin
from db.unkeepable import transact_with_care
from domain.sync_settings import ConflictPolicy
from providers._kit.protocols import ReadsPages


async def read_first(errand: Errand, items: Sequence[Item]) -> bool:
    """Take in what the store says of linked records now. False where its policy has no need of it.

    Raises:
        StoreError: the store is away or refuses the keys.
        TurnLostError: another attempt took over.
    """
    settings, client = errand.settings, errand.client
    policies = {settings.conflict_policy, *settings.conflict_policies.values()}
    ids = [
        one.external_id for one in items if one.external_id is not None and not one.push.is_forced
    ]
    if ConflictPolicy.MANUAL not in policies or not ids or not isinstance(client, ReadsPages):
        return False
    page = await client.fetch_by_ids(errand.entity, ids)
    errand.turn.hear()
    origin = Origin(errand.tenant_id, errand.store_id)

    async def work(connection: AsyncConnection, careful: bool) -> Applied:
        await errand.turn.confirm(connection)
        return await apply(connection, origin, errand.entity, page, careful=careful)

    applied = await transact_with_care(errand.database, errand.tenant_id, work)
    await wake_pushes(errand.waker, errand.tenant_id, applied.pushes - {errand.store_id})
    return True

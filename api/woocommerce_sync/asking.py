"""Asking something of a WooCommerce store: which one is named in the query or in the body."""

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import Depends
from starlette.responses import Response

from api.auth import SyncsWriter
from api.demanding import Shown, check_active, demand_input, run_demand, start_demand
from api.idempotency import Idempotent, Work
from api.problems import BAD_REQUEST, ProblemError
from api.services import Services
from api.woocommerce_sync.stores import StoreIdQuery, pick_store
from db.stores import Store
from workflows.models import DemandInput

Plan = Callable[[Store], Mapping[str, object]]
"""Makes of a store what is demanded of it: `pulls`, `pushes`, `is_dry`. May raise ProblemError."""


def named_store(query: int | None, body: int | None) -> int | None:
    """The store that the query or the body names. Raises ProblemError (400) for two of them."""
    if query is not None and body is not None and query != body:
        raise ProblemError(
            BAD_REQUEST,
            f"storeId is {query} in the query and {body} in the body: send it once.",
        )
    return query if body is None else body


class AskingStore:
    """A dependency of the actions: who asks, and of which store."""

    def __init__(
        self,
        principal: SyncsWriter,
        services: Services,
        idempotency: Idempotent,
        store_id: StoreIdQuery = None,
    ) -> None:
        self.services = services
        self.principal = principal
        self._idempotency = idempotency
        self._store_id = store_id

    async def pick(self, store_id: int | None) -> Store:
        """The store that an action is about. `store_id` is the body's.

        Raises:
            ProblemError: 400, 404; 409, it is not active.
        """
        wanted = named_store(self._store_id, store_id)
        return check_active(await pick_store(self.services, self.principal.tenant_id, wanted))

    def demand(self, store: Store, name: str, **asked: object) -> DemandInput:
        """See `api.demanding.demand_input`."""
        return demand_input(self.services, self.principal, store, name, **asked)

    async def once(self, work: Work) -> Response:
        """Do it under the request's key, if it has one. Raises ProblemError."""
        return await self._idempotency.run(self.principal, work)

    async def start(self, name: str, store_id: int | None, plan: Plan) -> Response:
        """Start it: 202. `store_id` is the body's. Raises ProblemError."""

        async def work() -> Response:
            args = await self._planned(name, store_id, plan)
            return await start_demand(self.services, self.principal, args)

        return await self.once(work)

    async def run(
        self, name: str, store_id: int | None, plan: Plan, show: Callable[[DemandInput], Shown]
    ) -> Response:
        """Start it and wait: 200 with what `show` makes of it, or 202. Raises ProblemError."""

        async def work() -> Response:
            args = await self._planned(name, store_id, plan)
            return await run_demand(self.services, self.principal, args, show(args))

        return await self.once(work)

    async def _planned(self, name: str, store_id: int | None, plan: Plan) -> DemandInput:
        store = await self.pick(store_id)
        return self.demand(store, name, **plan(store))


Asking = Annotated[AskingStore, Depends(AskingStore)]

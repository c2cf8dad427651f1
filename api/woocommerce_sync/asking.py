"""Asking something of a WooCommerce store: which one is named in the query or in the body."""

from collections.abc import Callable, Mapping
from typing import Annotated

from fastapi import Depends
from starlette.responses import Response

from api.auth import Principal, SyncsWriter
from api.demanding import Shown, check_active, demand_input, run_demand, start_demand
from api.idempotency import Idempotent
from api.problems import BAD_REQUEST, ProblemError
from api.services import ApiServices, Services
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


async def pick_active(
    services: ApiServices, principal: Principal, *, query: int | None, body: int | None
) -> Store:
    """The store that an action is about. Raises ProblemError (400, 404; 409: it is not active)."""
    store = await pick_store(services, principal.tenant_id, named_store(query, body))
    return check_active(store)


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
        self._principal = principal
        self._idempotency = idempotency
        self._store_id = store_id

    async def start(self, name: str, store_id: int | None, plan: Plan) -> Response:
        """Start it: 202. `store_id` is the body's. Raises ProblemError."""

        async def work() -> Response:
            args = await self._demand(name, store_id, plan)
            return await start_demand(self.services, self._principal, args)

        return await self._idempotency.run(self._principal, work)

    async def run(
        self, name: str, store_id: int | None, plan: Plan, show: Callable[[DemandInput], Shown]
    ) -> Response:
        """Start it and wait: 200 with what `show` makes of it, or 202. Raises ProblemError."""

        async def work() -> Response:
            args = await self._demand(name, store_id, plan)
            return await run_demand(self.services, self._principal, args, show(args))

        return await self._idempotency.run(self._principal, work)

    async def _demand(self, name: str, store_id: int | None, plan: Plan) -> DemandInput:
        store = await pick_active(
            self.services, self._principal, query=self._store_id, body=store_id
        )
        return demand_input(self.services, self._principal, store, name, **plan(store))


Asking = Annotated[AskingStore, Depends(AskingStore)]

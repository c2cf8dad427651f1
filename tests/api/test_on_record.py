"""What people ask of Temporal is in the audit trail before it is asked (docs/decisions/0019)."""

from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import httpx
import pytest

from api.temporal import TemporalUnavailableError
from api.temporal_syncs import WrongCronError
from domain.entities import Entity
from domain.statuses import SyncStatus
from sandbox.easyorder.installing import ORIGIN
from tests.api.audited_routes import ON_RECORD
from tests.api.hub import Caller, Hub, connect, store_body
from tests.api.runs import begin, end
from tests.api.test_install_links import KEY as SHOP_KEY
from tests.api.test_install_links import callback_of, selling, started
from tests.db.factories import customer, product, variant

KEY = {"Idempotency-Key": "one-intent"}
SCHEDULE = {"pull": {"interval": "PT15M"}}
BODIES: dict[str, dict[str, Any]] = {
    "PUT /api/stores/{store_id}/schedule": SCHEDULE,
    "POST /api/woocommerce-sync/sync/batch": {"customers": True},
    "POST /api/woocommerce-sync/sync/customers/push": {"syncAll": True},
    "POST /api/woocommerce-sync/sync/inventory/push": {"syncAll": True},
}


class KilledError(BaseException):
    """The process is gone: nothing of ours runs any more."""


async def go_on() -> None:
    return


async def be_down() -> None:
    """Temporal does not answer those either who only look."""


async def kill() -> None:
    raise KilledError


async def refuse() -> None:
    raise TemporalUnavailableError("PERMISSION_DENIED: no", did_nothing=True)


async def time_out() -> None:
    raise TemporalUnavailableError("no answer within 2 s")


FAULTS = ((kill, None), (refuse, "refused"), (time_out, "unclear"))


@dataclass(frozen=True)
class Told:
    """An entry; `who` and where from, and what it is about."""

    id: int
    details: dict[str, Any]
    who: tuple[Any, ...]


@dataclass
class Scene:
    """A tenant with a store that everything can be asked of, many times."""

    hub: Hub
    caller: Caller
    store_id: int
    product_id: int
    codes: Any = field(default_factory=count)
    seen: dict[str, int] = field(default_factory=dict)

    async def ask(
        self, route: str, fault: Callable[[], Awaitable[None]] | None = None
    ) -> httpx.Response | None:
        """Ask for it, with Temporal failing as `fault` does; None when that ended the process."""
        gateway = self.hub.gateway
        path, sent = await self._prepare(route)
        before = self._asked()
        gateway.is_down, gateway.before_acting = fault is be_down, fault or go_on
        try:
            return await self.caller.send(route.split(maxsplit=1)[0], path, **sent)
        except KilledError:
            return None
        finally:
            gateway.is_down, gateway.before_acting = False, go_on
            if fault is not None:
                assert (route, self._asked()) == (route, before)

    async def told(self, route: str) -> list[Told]:
        """What the trail says anew of the action of this route, the oldest first."""
        rows = await self.hub.execute(
            self.caller.tenant,
            "select id, details, actor_kind, actor_id, subject, address, request_id from audit_log "
            "where action = :action and id > :seen order by id",
            action=ON_RECORD[route],
            seen=self.seen.get(route, 0),
        )
        found = [Told(row[0], row[1], row[2:]) for row in rows]
        self.seen[route] = found[-1].id if found else self.seen.get(route, 0)
        return found

    def _asked(self) -> dict[str, Any]:
        """What Temporal did so far, but for trying credentials."""
        held = vars(self.hub.gateway).items()
        looks = {"checks", "waits", "is_down"}
        return {
            name: deepcopy(one) for name, one in held if name not in looks and not callable(one)
        }

    async def _prepare(self, route: str) -> tuple[str, dict[str, Any]]:
        self.hub.gateway.running.clear()
        store_id, sent = self.store_id, {}
        path = route.split()[1]
        if route in BODIES:
            sent = {"json": BODIES[route]}
        if route == "POST /api/stores":
            sent = {"json": store_body(f"new{next(self.codes)}", sync=True)}
        elif route == "DELETE /api/stores/{store_id}":
            store_id = await connect(self.caller, f"old{next(self.codes)}")
            await self._run(
                "insert into webhook_subscriptions (tenant_id, store_id, topic, external_id, "
                f"status) values ({self.caller.tenant.id}, {store_id}, 'a.b', '7', 'active')"
            )
        elif "{token}" in path:
            # The shop is the same each time, and one shop is one store.
            await self._run("update stores set provider = 'gone' where provider = 'easyorder'")
            link = await started(self.caller, sync=True, code=f"link{next(self.codes)}")
            path = callback_of(link)
            sent = {"json": {"api_key": SHOP_KEY}, "headers": {"Origin": ORIGIN}}
        elif "activate" in path:  # what it schedules anew is asked for before
            await self._run("delete from store_schedules")
        elif "cancel" in path:
            self.hub.gateway.running[f"import/{store_id}"] = "run"
            path = path.replace("{workflow_id:path}", f"import/{store_id}")
        elif "schedule" in path:
            await self._schedule(route)
        ids = {"wcProductId": 7, "wcOrderId": 8, "productId": self.product_id}
        return path.format(store_id=store_id, **ids), sent

    async def _schedule(self, route: str) -> None:
        """What the route needs to have something to do."""
        path = f"/api/stores/{self.store_id}/schedule"
        if route.startswith("PUT"):
            await self.caller.delete(path)
        else:
            await self.caller.send("PUT", path, json=SCHEDULE)
            await self.caller.post(f"{path}/{'pause' if route.endswith('resume') else 'resume'}")

    async def _run(self, statement: str) -> None:
        await self.hub.execute(self.caller.tenant, statement)


@pytest.fixture
async def scene(hub: Hub, caller: Caller) -> Scene:
    store_id = await connect(caller, provider="woocommerce")
    await hub.take_in(caller.tenant, store_id, Entity.CUSTOMERS, customer("1"))
    sold = variant("11", tracks_stock=True, sku="A")
    await hub.take_in(
        caller.tenant, store_id, Entity.PRODUCTS, product("10", sold, stock={"11": 5})
    )
    await end(hub, caller, store_id, await begin(hub, caller, store_id), SyncStatus.FAILED)
    ((product_id,),) = await hub.execute(caller.tenant, "select id from products")
    return Scene(hub, caller, store_id, product_id)


async def test_nothing_is_done_without_its_entry_and_nothing_refused_passes_for_done(
    scene: Scene,
) -> None:
    """Every route, with Temporal failing in every way, and then well."""
    gateway = scene.hub.gateway
    says_yes = gateway.verdict
    known: set[str] = set()
    async with selling(scene.hub):
        is_tried = gateway.verdict
        for route, action in ON_RECORD.items():
            gateway.verdict = is_tried if "{token}" in route else says_yes
            await scene.told(route)
            # Routes of one action differ in how they come to ask: not in what becomes of it.
            for fault, outcome in FAULTS if action not in known else FAULTS[:2]:
                answer = await scene.ask(route, fault)
                assert (route, answer is None) == (route, fault is kill)
                asked, *then = await scene.told(route)
                wanted = [{"outcome": outcome, "entry": asked.id}] if outcome else []
                assert (route, [one.details for one in then]) == (route, wanted)
                assert (route, {one.who for one in then} - {asked.who}) == (route, set())
            if action not in known:
                await check_away_and_well(scene, route)
            known.add(action)


async def check_away_and_well(scene: Scene, route: str) -> None:
    """Who finds Temporal away leaves nothing, and who is served one entry."""
    away = await scene.ask(route, be_down)
    assert (route, away is None, await scene.told(route)) == (route, False, [])
    done = await scene.ask(route)
    assert done is not None
    assert (route, done.status_code < 300) == (route, True), done.text
    (entry,) = await scene.told(route)
    assert (route, "outcome" in entry.details) == (route, False)


async def test_what_is_found_or_answered_again_is_no_second_deed(scene: Scene) -> None:
    route, caller = "POST /api/stores/{store_id}/sync", scene.caller
    path = f"/api/stores/{scene.store_id}/sync"
    first = await caller.post(path, headers=KEY)
    assert len(await scene.told(route)) == 1
    scene.hub.gateway.running.clear()
    again = await caller.post(path, headers=KEY)
    assert (again.json(), again.headers["idempotency-replayed"]) == (first.json(), "true")
    assert await scene.told(route) == []
    # What failed may be sent again with its key: that is another try, and the first is told off.
    other = {"Idempotency-Key": "another-intent"}
    scene.hub.gateway.before_acting = refuse
    assert (await caller.post(path, headers=other)).status_code == 503
    scene.hub.gateway.before_acting = go_on
    assert (await caller.post(path, headers=other)).json()["alreadyRunning"] is False
    outcomes = [one.details.get("outcome") for one in await scene.told(route)]
    assert outcomes == [None, "refused", None]
    assert (await caller.post(path)).json()["alreadyRunning"] is True
    assert await scene.told(route) == []


async def test_who_is_overtaken_is_told_so(scene: Scene) -> None:
    """Between the look and the deed somebody else starts, or it ends."""
    gateway, caller = scene.hub.gateway, scene.caller
    path, workflow_id = f"/api/stores/{scene.store_id}/import", f"import/{scene.store_id}"

    async def begin_elsewhere() -> None:
        gateway.running[workflow_id] = "theirs"

    async def end_elsewhere() -> None:
        gateway.running.clear()

    gateway.before_acting = begin_elsewhere
    assert (await caller.post(path)).json()["alreadyRunning"] is True
    asked, then = await scene.told("POST /api/stores/{store_id}/import")
    assert then.details == {"outcome": "already_running", "entry": asked.id}
    gateway.before_acting = end_elsewhere
    assert (await caller.post(f"/api/syncs/{workflow_id}/cancel")).status_code == 409
    asked, then = await scene.told("POST /api/syncs/{workflow_id:path}/cancel")
    assert then.details == {"outcome": "not_running", "entry": asked.id}


async def test_a_schedule_shows_what_was_asked_for_unless_it_was_refused(scene: Scene) -> None:
    gateway, caller = scene.hub.gateway, scene.caller
    route, path = "PUT /api/stores/{store_id}/schedule", f"/api/stores/{scene.store_id}/schedule"

    async def put(cron: str) -> tuple[int, str | None, list[str | None]]:
        """The status, what is shown then, and what the trail says."""
        answer = await caller.send("PUT", path, json={"pull": {"cron": cron}})
        shown = (await caller.get(path)).json()["pull"]
        told = [one.details.get("outcome") for one in await scene.told(route)]
        return answer.status_code, shown and shown["cron"], told

    async def do_not_understand() -> None:
        raise WrongCronError("no cron")

    gateway.before_acting = do_not_understand
    assert await put("1 * * * *") == (422, None, [None, "refused"])
    gateway.before_acting = go_on
    assert await put("2 * * * *") == (200, "2 * * * *", [None])
    gateway.before_acting = refuse
    assert await put("3 * * * *") == (503, "2 * * * *", [None, "refused"])
    gateway.before_acting = time_out
    assert await put("4 * * * *") == (503, "4 * * * *", [None, "unclear"])
    gateway.before_acting = go_on
    assert await put("4 * * * *") == (200, "4 * * * *", [])
    # Back to what it was before: Temporal may have had the other, so this is news.
    gateway.before_acting = kill
    with pytest.raises(KilledError):
        await put("5 * * * *")
    gateway.before_acting = go_on
    assert await put("4 * * * *") == (200, "4 * * * *", [None, None])


async def test_what_is_done_in_part_is_unclear(scene: Scene) -> None:
    gateway, caller = scene.hub.gateway, scene.caller
    path = f"/api/stores/{scene.store_id}/schedule"
    await caller.send("PUT", path, json=SCHEDULE)
    calls = count()

    async def refuse_the_second() -> None:
        if next(calls):
            await refuse()

    gateway.before_acting = refuse_the_second
    assert (await caller.post(f"{path}/pause")).status_code == 503
    told = await scene.told("POST /api/stores/{store_id}/schedule/pause")
    assert [one.details.get("outcome") for one in told] == [None, "unclear"]
    assert (await caller.get(path)).json()["paused"] is True

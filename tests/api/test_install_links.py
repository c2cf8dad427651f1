"""Connecting by a link, with a sandbox store whose seller's browser asks as a browser does."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from activities.check import CheckActivities
from activities.models import ProbeStoreInput
from activities.stores import StoreOpener
from api.install_link import LIFETIME
from api.middleware import masked
from providers._kit.http import StoreSession
from sandbox.easyorder.app import BASE, Sandbox, create_app
from sandbox.easyorder.installing import ORIGIN, install
from sandbox.easyorder.seed import StoreSeed
from sandbox.easyorder.shop import Store
from tests.api.hub import Caller, Hub, stored_config
from workflows.models import CheckStoreInput, CheckStoreResult

KEY = "eo_0123456789abcdef"
START = "/api/stores/connect/easyorder/start"
NAMES = ("error_type", "facts", "message")


def body(code: str = "eo", **changes: Any) -> dict[str, Any]:
    config = {
        "storeUrl": "https://store.example/store/mine",
        "apiUrl": f"https://api.example{BASE}",
        "currency": "AED",
    }
    return {"name": "My store", "code": code, "config": config, **changes}


@asynccontextmanager
async def selling(hub: Hub) -> AsyncIterator[Sandbox]:
    """A store whose browser reaches the hub, and which the hub's checks reach."""
    box = Sandbox(Store(StoreSeed(products=2, categories=1)), KEY, "t")
    box.courier.transport = hub.http._transport
    services = hub.services
    session = StoreSession(httpx.ASGITransport(create_app(box)))
    opener = StoreOpener(services.database, services.secrets, services.registry, session)
    activities = CheckActivities(services.database, opener)

    async def verdict(check: CheckStoreInput) -> CheckStoreResult:
        args = ProbeStoreInput(tenant_id=check.tenant_id, store_check_id=check.store_check_id)
        found = await activities.probe_store(args)
        return CheckStoreResult(**{name: getattr(found, name) for name in NAMES})

    hub.gateway.verdict = verdict
    yield box


def callback_of(link: str) -> str:
    return parse_qs(link.partition("?")[2])["callback_url"][0]


async def started(caller: Caller, **changes: Any) -> str:
    answer = await caller.post(START, json=body(**changes))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["installUrl"])


async def test_consenting_connects_the_store(hub: Hub, caller: Caller) -> None:
    async with selling(hub) as box:
        link = await started(caller, sync=True)
        told = await install(box, link)
        (store,) = (await caller.get("/api/stores")).json()["data"]
        config = await stored_config(hub, caller, store["id"])

        assert link.startswith(f"{ORIGIN}/#/install-app?app_name=Entrepot")
        assert (told["preflight_allowed"], told["callback_status"]) == (True, 200)
        assert told["callback_answer"] == {
            "connected": True,
            "message": "My store is connected.",
        }
        assert (store["code"], store["facts"]["currency"]) == ("eo", "AED")
        assert config["apiKey"] == KEY
        assert [one.store_id for one in hub.gateway.imports] == [store["id"]]
        assert {one["url"] for one in told["webhooks"]} == {
            store["webhookUrls"]["newOrder"],
            store["webhookUrls"]["orderStatus"],
        }
        # The shop makes the secrets: until they are entered there is none, and none is made up.
        assert (config["webhookSecret"], config["statusWebhookSecret"]) == (None, None)
        assert store["settings"]["syncDirections"]["products"] == "push"


async def test_link_works_once(hub: Hub, caller: Caller) -> None:
    async with selling(hub) as box:
        link = await started(caller)
        first, second = await install(box, link), await install(box, link)
        stores = (await caller.get("/api/stores")).json()["data"]

        assert (first["callback_status"], second["callback_status"]) == (200, 404)
        assert len(stores) == 1


async def test_wrong_key_keeps_nothing_and_leaves_the_link_open(hub: Hub, caller: Caller) -> None:
    async with selling(hub) as box:
        link = await started(caller)
        url, sent = callback_of(link), {"Origin": ORIGIN}
        wrong = await hub.http.post(url, json={"api_key": "eo_some_other_key"}, headers=sent)
        none = await hub.http.post(url, json={"store_id": "x"}, headers=sent)
        stores = (await caller.get("/api/stores")).json()["data"]
        right = await install(box, link)

        assert (wrong.status_code, wrong.headers["access-control-allow-origin"]) == (422, ORIGIN)
        assert wrong.json()["type"].endswith("store-credentials-refused")
        assert none.status_code == 422
        assert stores == []
        assert right["callback_status"] == 200


async def test_other_pages_and_late_or_unknown_tokens_are_refused(hub: Hub, caller: Caller) -> None:
    async with selling(hub):
        url = callback_of(await started(caller))
        foreign = await hub.http.post(
            url, json={"api_key": KEY}, headers={"Origin": "https://evil.example"}
        )
        unknown = await hub.http.post(f"/api/stores/connect/{'x' * 43}", json={"api_key": KEY})
        asked = await hub.http.options(f"/api/stores/connect/{'x' * 43}")
        large = await hub.http.post(url, content=b" " * 15_000, headers={"Origin": ORIGIN})
        await hub.execute(
            caller.tenant,
            "update connect_tokens set expires_at = now() - interval '1 second'",
        )
        late = await hub.http.post(url, json={"api_key": KEY}, headers={"Origin": ORIGIN})

        assert (foreign.status_code, unknown.status_code, asked.status_code) == (403, 404, 404)
        assert (large.status_code, late.status_code) == (413, 404)
        assert (await caller.get("/api/stores")).json()["data"] == []


async def test_callback_that_was_killed_can_be_made_again_later(hub: Hub, caller: Caller) -> None:
    async with selling(hub) as box:
        link = await started(caller)
        await hub.execute(caller.tenant, "update connect_tokens set used_at = now()")
        at_once = await install(box, link)
        await hub.execute(
            caller.tenant, "update connect_tokens set used_at = now() - interval '6 minutes'"
        )
        later = await install(box, link)

        assert (at_once["callback_status"], later["callback_status"]) == (404, 200)


async def test_token_and_form_are_kept_as_digest_and_ciphertext(hub: Hub, caller: Caller) -> None:
    secret = "orders-secret-0123456789"
    config = {**body()["config"], "webhookSecret": secret}
    token = callback_of(await started(caller, config=config)).rpartition("/")[2]
    (row,) = await hub.execute(
        caller.tenant, "select t::text, expires_at - created_at from connect_tokens t"
    )

    assert token not in row[0]
    assert secret.encode().hex() not in row[0]
    assert secret not in row[0]
    assert abs(row[1] - LIFETIME).total_seconds() < 60


@pytest.mark.parametrize(
    ("path", "change", "status"),
    [
        ("/api/stores/connect/testshop/start", {}, 404),
        ("/api/stores/connect/nothing/start", {}, 404),
        (START, {"config": {"storeUrl": "no address"}}, 422),
        (START, {"config": {"storeUrl": "https://s.example", "currency": "??"}}, 422),
        (START, {"redirectUrl": "javascript:alert(1)"}, 422),
        (START, {"code": ""}, 422),
    ],
)
async def test_what_cannot_be_started_is_told_at_once(
    caller: Caller, path: str, change: dict[str, Any], status: int
) -> None:
    answer = await caller.post(path, json=body(**change))

    assert answer.status_code == status


async def test_starting_needs_the_right_to_write_stores(hub: Hub) -> None:
    reader = await hub.new_caller(permissions=("stores:read",))

    assert (await reader.post(START, json=body())).status_code == 403
    assert (await hub.http.post(START, json=body())).status_code == 401


@pytest.mark.parametrize("end", ["", "/", "/more"])
def test_no_log_line_tells_a_token(end: str) -> None:
    path = f"/api/stores/connect/{'t0ken' * 8}{end}"

    assert masked(path) == f"/api/stores/connect/***{end}"
    assert masked(START) == START


async def test_without_a_public_address_the_answer_says_so(hub: Hub, caller: Caller) -> None:
    config = hub.services.config.model_copy(update={"public_url": None})
    object.__setattr__(hub.services, "config", config)

    answer = (await caller.post(START, json=body())).json()

    assert answer["reachable"] is False
    assert "ENTREPOT_PUBLIC_URL" in answer["unreachableReason"]

"""The store that the environment defines, over real PostgreSQL and a shop that is played."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from api.problems import ProblemError
from api.services import ApiServices
from runtime.default_store import (
    LONGEST_PAUSE_S,
    NoDefaultTenantError,
    ensure_default_store,
    keep_default_store,
)
from runtime.default_store_settings import DefaultStoreSettings
from tests.api.fake_gateway import FACTS
from tests.api.hub import KEY, SECRET, Caller, Hub, connect, stored_config

HOOK = "whs-0123456789-secret"
WANTED = DefaultStoreSettings(
    "https://shop.example", SecretStr(KEY), SecretStr(SECRET), SecretStr(HOOK)
)
OTHER_SECRET = "cs_" + "9" * 40


@pytest.fixture
def services(hub: Hub, caller: Caller) -> ApiServices:
    """With the caller's tenant as the default one."""
    update = {"default_store_url": WANTED.site_url, "default_tenant": caller.tenant.public_id}
    return replace(hub.services, config=hub.services.config.model_copy(update=update))


async def stores(hub: Hub, caller: Caller) -> list[Any]:
    return await hub.execute(
        caller.tenant, "select id, code, name, provider from stores order by id"
    )


async def test_the_store_is_connected_with_its_name_its_webhooks_and_both_ways(
    hub: Hub, caller: Caller, services: ApiServices
) -> None:
    store = await ensure_default_store(services, WANTED)
    assert await stores(hub, caller) == [(store.id, "default", "Test shop", "woocommerce")]
    assert store.settings["syncDirections"] == dict.fromkeys(
        ("products", "categories", "customers", "inventory", "orderStatus"), "both"
    )
    assert await stored_config(hub, caller, store.id) == {
        "storeUrl": "https://shop.example",
        "consumerKey": KEY,
        "consumerSecret": SECRET,
        "webhookSecret": HOOK,
    }
    assert [one.store_id for one in hub.gateway.subscription_checks] == [store.id]
    assert hub.gateway.imports == []
    audit = await hub.execute(
        caller.tenant, "select actor_name from audit_log where action = 'store.created'"
    )
    assert audit == [("WOOCOMMERCE_* variables",)]


async def test_a_second_start_changes_nothing(
    hub: Hub, caller: Caller, services: ApiServices
) -> None:
    first = await ensure_default_store(services, WANTED)
    hub.gateway.checks.clear()
    hub.gateway.subscription_checks.clear()
    without_secret = replace(WANTED, webhook_secret=None)
    for wanted in (WANTED, without_secret, replace(WANTED, site_url="https://shop.example/")):
        assert (await ensure_default_store(services, wanted)).id == first.id
    assert (hub.gateway.checks, hub.gateway.subscription_checks) == ([], [])
    assert (await stored_config(hub, caller, first.id))["webhookSecret"] == HOOK


async def test_webhooks_that_nobody_looks_after_are_looked_after_from_the_next_start(
    hub: Hub, caller: Caller, services: ApiServices
) -> None:
    """A process may be killed, or Temporal be away, right after the store was connected."""
    await ensure_default_store(services, WANTED)
    hub.gateway.subscription_checks.clear()
    await hub.execute(caller.tenant, "delete from store_schedules")
    for _ in range(2):
        await ensure_default_store(services, WANTED)
    assert len(hub.gateway.subscription_checks) == 1


async def test_several_processes_at_once_make_one_store(
    hub: Hub, caller: Caller, services: ApiServices
) -> None:
    both = asyncio.Barrier(3)
    seen = 0

    async def verdict(_check: Any) -> Any:
        nonlocal seen
        seen += 1
        if seen <= 3:
            await both.wait()
        return await type(hub.gateway)().verdict(_check)

    hub.gateway.verdict = verdict
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    found = await asyncio.gather(
        *(keep_default_store(services, WANTED, sleep=sleep) for _ in range(3))
    )
    assert len({one.id for one in found}) == 1
    assert len(await stores(hub, caller)) == 1
    assert len(pauses) == 2


@pytest.mark.parametrize("name", ["consumer_secret", "webhook_secret"])
async def test_changed_variables_replace_the_credentials(
    hub: Hub, caller: Caller, services: ApiServices, name: str
) -> None:
    first = await ensure_default_store(services, WANTED)
    hub.gateway.subscription_checks.clear()
    changed: Any = {name: SecretStr(OTHER_SECRET)}
    second = await ensure_default_store(services, replace(WANTED, **changed))
    assert second.id == first.id
    kept = await stored_config(hub, caller, first.id)
    assert kept[{"consumer_secret": "consumerSecret"}.get(name, "webhookSecret")] == OTHER_SECRET
    assert [one.renew for one in hub.gateway.subscription_checks] == [True]
    assert len(await stores(hub, caller)) == 1


async def test_credentials_that_are_refused_leave_those_that_work(
    hub: Hub, caller: Caller, services: ApiServices
) -> None:
    first = await ensure_default_store(services, WANTED)
    hub.gateway.refuse("CredentialsError", "refused")
    with pytest.raises(ProblemError, match="refused"):
        await ensure_default_store(
            services, replace(WANTED, consumer_secret=SecretStr(OTHER_SECRET))
        )
    assert (await stored_config(hub, caller, first.id))["consumerSecret"] == SECRET


async def test_a_code_that_another_shop_has_is_not_taken_over(
    hub: Hub, caller: Caller, services: ApiServices
) -> None:
    mine = await connect(caller, "default")
    with pytest.raises(ProblemError, match="default"):
        await ensure_default_store(services, WANTED)
    assert [row[0] for row in await stores(hub, caller)] == [mine]


async def test_it_is_tried_until_everything_answers_with_longer_pauses(
    hub: Hub, services: ApiServices
) -> None:
    hub.gateway.is_down = True
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 5:
            hub.gateway.is_down = False
            hub.gateway.refuse("StoreUnreachableError", "no connection")
        if len(pauses) == 12:
            hub.gateway.find(dict(FACTS))

    with capture_logs() as logs:
        store = await keep_default_store(services, WANTED, sleep=sleep)
    assert store.code == "default"
    assert pauses[:4] == [2, 4, 8, 16]
    assert (len(pauses), pauses[-1], max(pauses)) == (12, LONGEST_PAUSE_S, LONGEST_PAUSE_S)
    told = str(logs)
    assert "Temporal does not answer" in told
    assert "no connection" in told
    assert [one for one in (KEY, SECRET, HOOK) if one in told] == []


async def test_without_a_tenant_of_that_name_nothing_is_connected(
    hub: Hub, services: ApiServices
) -> None:
    unnamed = services.config.model_copy(update={"default_tenant": "nobody"})
    with pytest.raises(NoDefaultTenantError, match="ENTREPOT_DEFAULT_TENANT"):
        await ensure_default_store(replace(services, config=unnamed), WANTED)
    await hub.new_tenant()
    several = services.config.model_copy(update={"default_tenant": None})
    with pytest.raises(NoDefaultTenantError):
        await ensure_default_store(replace(services, config=several), WANTED)
    assert hub.gateway.checks == []

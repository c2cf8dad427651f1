from typing import Any

import pytest

from tests.api.hub import Caller, Hub, connect, store_body

PULL = dict.fromkeys(("products", "categories", "customers", "inventory", "orderStatus"), "pull")


async def settings_of(caller: Caller, store_id: int) -> dict[str, Any]:
    return dict((await caller.get(f"/api/stores/{store_id}")).json()["settings"])


async def test_a_new_store_has_its_providers_directions(caller: Caller) -> None:
    store_id = await connect(caller)
    settings = await settings_of(caller, store_id)
    # This provider only reads, whatever the usual directions are.
    assert settings["syncDirections"] == PULL
    assert settings["conflictPolicy"] == "latest"


async def test_directions_are_taken_beside_the_settings_and_within(caller: Caller) -> None:
    store_id = await connect(
        caller,
        syncDirections={"products": "off"},
        settings={"conflictPolicy": "manual", "syncDirections": {"customers": "off"}},
    )
    settings = await settings_of(caller, store_id)
    assert settings["syncDirections"] == {**PULL, "products": "off", "customers": "off"}
    assert settings["conflictPolicy"] == "manual"
    changed = await caller.patch(
        f"/api/stores/{store_id}", json={"syncDirections": {"customers": "pull"}}
    )
    assert changed.status_code == 200
    assert changed.json()["settings"] == {
        **settings,
        "syncDirections": {**PULL, "products": "off"},
    }


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"syncDirections": {"products": "both"}}, "/syncDirections/products"),
        (
            {"settings": {"syncDirections": {"orderStatus": "push"}}},
            "/settings/syncDirections/orderStatus",
        ),
        ({"settings": {"ipAllowList": ["203.0.113.0/24", "home"]}}, "/settings/ipAllowList/1"),
        ({"settings": {"maxDeleteShare": 1.5}}, "/settings/maxDeleteShare"),
        ({"settings": {"conflictPolicy": "mine"}}, "/settings/conflictPolicy"),
        (
            {"settings": {"conflictPolicies": {"price": "local", "colour": "remote"}}},
            "/settings/conflictPolicies",
        ),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    hub: Hub, caller: Caller, body: dict[str, Any], pointer: str
) -> None:
    answer = await caller.post("/api/stores", json=store_body(**body))
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]
    assert hub.gateway.checks == []
    store_id = await connect(caller)
    answer = await caller.patch(f"/api/stores/{store_id}", json=body)
    assert answer.status_code == 422
    assert (await settings_of(caller, store_id))["syncDirections"] == PULL


async def test_a_store_that_keeps_no_directions_is_only_pulled_from(
    hub: Hub, caller: Caller
) -> None:
    store_id = await connect(caller)
    await hub.execute(caller.tenant, "update stores set settings = '{}'")
    assert (await settings_of(caller, store_id))["syncDirections"] == PULL

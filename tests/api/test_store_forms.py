import json
from typing import Any

import pytest

from tests.api.fake_gateway import FACTS
from tests.api.hub import KEY, SECRET, Caller, Hub, connect, store_body


@pytest.mark.parametrize(
    ("change", "errors"),
    [
        ({"code": "no spaces"}, {"/code"}),
        ({"code": "x" * 51}, {"/code"}),
        ({"name": " "}, {"/name"}),
        ({"name": "a\x00b"}, {"/name"}),
        ({"name": "\ud800"}, {"/name"}),
        ({"colour": "red"}, {"/colour"}),
        ({"provider": "nobody"}, {"/provider"}),
        ({"provider": "../testshop"}, {"/provider"}),
        ({"config": {}}, {"/config/storeUrl", "/config/consumerKey", "/config/consumerSecret"}),
        ({"config": []}, {"/config"}),
        (
            {"config": {"storeUrl": 5, "consumerKey": ["k"], "consumerSecret": SECRET}},
            {"/config/storeUrl", "/config/consumerKey"},
        ),
        (
            {
                "config": {
                    "storeUrl": "https://shop.example",
                    "consumerKey": KEY,
                    "consumerSecret": SECRET,
                    "a/b~c": 1,
                }
            },
            {"/config/a~1b~0c"},
        ),
        ({"sync": "perhaps"}, {"/sync"}),
    ],
)
async def test_a_wrong_body_names_its_fields(
    hub: Hub, caller: Caller, change: dict[str, Any], errors: set[str]
) -> None:
    body = json.dumps(store_body(**change))
    answer = await caller.post(
        "/api/stores", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 422
    assert {one["pointer"] for one in answer.json()["errors"]} == errors
    assert (KEY in answer.text, SECRET in answer.text) == (False, False)
    assert hub.gateway.checks == []


async def test_nul_characters_a_store_sends_are_left_out(hub: Hub, caller: Caller) -> None:
    hub.gateway.find({**FACTS, "store_name": "a\x00b", "details": {"x\x00": ["\x00y"]}})
    store_id = await connect(caller)
    ((facts,),) = await hub.execute(
        caller.tenant, "select facts from stores where id = :id", id=store_id
    )
    assert (facts["store_name"], facts["details"]) == ("ab", {"x": ["y"]})

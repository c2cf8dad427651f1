"""schemathesis against a hub that really runs, with a real shop: many examples, and chains of
requests in which one uses what another made.

`SOAK_EXAMPLES` (of each operation, and as many chains) makes it shorter or longer.
"""

import asyncio
import os
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from schemathesis import Case

from tests.api.fuzzing.real_ids import name_intent
from tests.api.fuzzing.run import PHASES, configuration, follow, labels, load_from
from tests.e2e.running import running_hub
from tests.e2e.shop import open_shop

EXAMPLES = int(os.environ.get("SOAK_EXAMPLES", "100"))


@pytest.mark.soak
async def test_a_running_hub_answers_as_the_schema_says(tmp_path: Path) -> None:
    async with (
        open_shop("--products", "50", "--orders", "50") as shop,
        running_hub(tmp_path, requests_per_minute="1000000") as hub,
    ):
        store_id = await hub.connect_store("fuzzed", shop.form)
        assert (await hub.end_of(store_id, within_s=120))[0] == "success"
        key = {
            "X-API-Key": hub.connection.api_key,
            "X-API-Secret": hub.connection.api_secret,
        }
        config = configuration(
            key,
            phases=PHASES,
            examples=EXAMPLES,
            secrets=[shop.consumer_secret],
            # The only key there is would be revoked, rotated or locked to another address.
            leave_out=r"^(PATCH|DELETE|POST) /api/keys/",
        )
        # Wrong keys are told to wait (429) after some: this is checked where nobody is slowed down.
        config["checks"]["ignored_auth"] = {"enabled": False}
        schema = load_from(f"{hub.connection.api_url}/openapi.json", config)
        turn = count()

        def fill_in(case: Case[Any]) -> None:
            name_intent(case, next(turn))

        found = await asyncio.to_thread(follow, schema, fill_in)
        assert not found.failures, found.told
        assert found.operations == labels(schema)
        assert (await hub.api.get("/api/health")).json()["status"] == "healthy"

"""Comparing a whole store: the sandbox's own truth against what the API gives back."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from runtime.cli.api_client import ApiClient
from runtime.cli.demo import held, truth
from runtime.cli.demo.held import Held
from runtime.cli.demo.tally import Tally, tally
from runtime.cli.demo.truth import Truth
from runtime.cli.sandbox_shop import CURRENCY, SandboxShop

_PAGE: Final = 500
_TIMEOUT_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """How every entity compares, and each difference in a line."""

    tallies: dict[str, Tally]
    differences: list[str]

    @property
    def is_right(self) -> bool:
        """Whether the hub holds exactly what the shop does."""
        return all(one.is_right for one in self.tallies.values())


async def verify(api: ApiClient, shop: SandboxShop, store_id: int) -> Verdict:
    """Read both sides and compare every record field by field."""
    records, documents = await asyncio.gather(_read_hub(api), _read_shop(shop))
    return await asyncio.to_thread(_compare, Truth(documents, CURRENCY), Held(records, store_id))


def _compare(shop: Truth, hub: Held) -> Verdict:
    expected, found = shop.expected(), hub.found()
    tallies: dict[str, Tally] = {}
    differences: list[str] = []
    for entity in expected:
        tallies[entity], lines = tally(entity, expected[entity], found[entity])
        differences += lines
    return Verdict(tallies, differences)


async def _read_hub(api: ApiClient) -> dict[str, Sequence[Any]]:
    return {
        entity: [record async for record in api.list_all(f"/api/{entity}")] for entity in held.READ
    }


async def _read_shop(shop: SandboxShop) -> dict[str, Sequence[Any]]:
    async with shop.control() as control:
        documents: dict[str, Sequence[Any]] = {}
        for entity in truth.READ:
            answer = await control.get("truth", params={"entity": entity})
            answer.raise_for_status()
            documents[entity] = [
                json.loads(line, parse_float=Decimal) for line in answer.text.split("\n") if line
            ]
        return documents

"""A storm: edits on all sides at once, deliveries gone wrong, and processes killed."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.e2e.kills import kill_service
from tests.e2e.storm_expected import FIRST, HUB, SECOND, Expected
from tests.e2e.storm_hub import HubPeople
from tests.e2e.storm_people import Ids, People
from tests.e2e.storm_shop import ShopPeople
from tests.e2e.two_way import World


@dataclass
class Storm:
    """What blows over a world. `begin` comes first.

    Attributes:
        expected: what has to be left.
        killed: how often each service was killed.
        done: how often each kind of thing was done.
        off: by how much the stock that all sides move at once is off, found by the checks.
    """

    world: World
    random: Random
    expected: Expected = field(init=False)
    killed: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    off: dict[str, int] = field(default_factory=dict)
    _ids: Ids = field(default_factory=Ids)

    async def begin(self) -> None:
        """Look at the world as it is before."""
        hub = await self.world.hub_products()
        shown = await self.world.first.for_sale()
        openings = {sku: int(shown[sku]["stock_quantity"]) for sku in hub}
        self.expected = Expected(tuple(sorted(hub)), openings)
        self._ids.variants = {sku: one["variants"][0]["id"] for sku, one in hub.items()}
        self._ids.products[HUB] = {sku: one["id"] for sku, one in hub.items()}
        for side, store in zip((FIRST, SECOND), self.world.stores, strict=True):
            sold = await store.for_sale()
            self._ids.products[side] = {sku: one["id"] for sku, one in sold.items()}

    async def blow(self, steps: int, *, kills: int) -> None:
        """So many steps, on three sides at once, with so many kills among them and after them."""
        at = [self.random.randrange(steps + steps // 2) for _ in range(kills)]
        early = sorted(place for place in at if place < steps)
        ticks: asyncio.Queue[None] = asyncio.Queue()
        crews = [self._people(side, ticks) for side in (HUB, FIRST, SECOND)]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._kill_among(early, ticks))
            for crew in crews:
                tasks.create_task(crew.act(steps // len(crews)))
        for store in self.world.stores:
            await store.disturb(hold=False)
        for _ in range(kills - len(early)):
            if await self.world.undone():
                await self._kill_one()

    def _people(self, side: int, ticks: asyncio.Queue[None]) -> People:
        crew = HubPeople if side == HUB else ShopPeople
        return crew(
            side=side,
            world=self.world,
            random=Random(self.random.random()),
            expected=self.expected,
            ids=self._ids,
            done=self.done,
            ticks=ticks,
        )

    async def _kill_among(self, at: list[int], ticks: asyncio.Queue[None]) -> None:
        steps = 0
        for place in at:
            while steps < place:
                await ticks.get()
                steps += 1
            await self._kill_one()

    async def _kill_one(self) -> None:
        victim = self.random.choice(sorted(self.world.hub.services))
        await kill_service(self.world.hub, victim)
        self.killed[victim] += 1

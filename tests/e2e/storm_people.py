"""What the people of the hub and of the shops have in common."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from random import Random

from tests.e2e.storm_expected import ALL, Expected
from tests.e2e.two_way import World

STATUSES = ("processing", "completed", "on-hold", "cancelled")


@dataclass
class Ids:
    """Products by side and SKU, and the hub's variants by SKU."""

    products: dict[int, dict[str, int]] = field(default_factory=dict)
    variants: dict[str, int] = field(default_factory=dict)
    marks: int = 0


@dataclass(kw_only=True)
class People:
    """The people of one side. What they do, they do one after the other."""

    side: int
    world: World
    random: Random
    expected: Expected
    ids: Ids
    done: Counter[str]
    ticks: asyncio.Queue[None]

    async def act(self, steps: int) -> None:
        """Do so many things."""
        for _ in range(steps):
            await self.do_something()
            self.ticks.put_nowait(None)

    async def do_something(self) -> None:
        """One thing."""
        raise NotImplementedError

    def choose(self, **chances: int) -> str:
        """What to do, with these chances."""
        what = self.random.choices(list(chances), list(chances.values()))[0]
        self.done[what] += 1
        return what

    def mark(self) -> str:
        """What nothing else in any storm has."""
        self.ids.marks += 1
        return f"{self.side}-{self.ids.marks}"

    def new_content(self, sku: str) -> tuple[str, str]:
        """A title and a price."""
        return f"{sku} edit {self.mark()}", f"{self.random.randint(100, 9_999) / 100:.2f}"

    def movable(self) -> str:
        """A SKU whose stock these people may move."""
        return self.random.choice(self.expected.moved_by(self.side) + self.expected.moved_by(ALL))

    def born_here(self) -> str | None:
        """A product that was made on this side, if there is any."""
        born = [sku for sku, side in self.expected.born.items() if side == self.side]
        return self.random.choice(born) if born else None

"""Kills at points of an import that its own rows tell, not a clock."""

import asyncio
import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from tests.e2e.running import LOOK_EVERY_S, RunningHub

VICTIMS = ("worker", "postgres", "temporal")
PAGE_SIZE = 100

_PATIENCE_S = 90.0
_PROGRESS = {
    "pages": """
      select coalesce(sum(g.pages), 0) from sync_ranges g
      where g.run_id = %(run)s and g.entity = %(entity)s and g.name like 'p%%'
    """,
    "changes": """
      select count(*) from sync_ranges g
      where g.run_id = %(run)s and g.entity = %(entity)s and g.name like 'changes-%%'
    """,
    "sweep": """
      select count(*) from sweep_ids s where s.run_id = %(run)s and s.entity = %(entity)s
    """,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """When a phase of an entity has come so far: pages written, changes begun, ids collected."""

    phase: str
    entity: str
    reached: int


@dataclass(frozen=True, slots=True)
class Kill:
    """Who dies, and when."""

    victim: str
    moment: Moment


def draw_three_kills(random: Random, *, products: int, orders: int) -> list[Kill]:
    """Each victim once: while products come in, while orders do, and while it catches up."""
    victims = random.sample(VICTIMS, k=len(VICTIMS))
    moments = (
        Moment("pages", "products", random.randint(1, products // PAGE_SIZE - 2)),
        Moment("pages", "orders", random.randint(1, orders // PAGE_SIZE - 2)),
        random.choice((Moment("changes", "orders", 1), Moment("sweep", "orders", 1))),
    )
    return [Kill(victim, moment) for victim, moment in zip(victims, moments, strict=True)]


def draw_kills(random: Random, count: int, *, products: int, orders: int) -> list[Kill]:
    """Any victim at any moment, in the order in which the moments come; the last catches up."""
    pages = [
        *(Moment("pages", "products", n) for n in range(1, products // PAGE_SIZE - 1)),
        *(Moment("pages", "orders", n) for n in range(1, orders // PAGE_SIZE - 1)),
    ]
    late = (Moment("changes", "orders", 1), Moment("sweep", "orders", 1))
    chosen = [pages[n] for n in sorted(random.sample(range(len(pages)), k=count - 1))]
    return [Kill(random.choice(VICTIMS), one) for one in (*chosen, random.choice(late))]


async def carry_out(
    hub: RunningHub, store_id: int, kills: Sequence[Kill], *, patience_s: float = _PATIENCE_S
) -> None:
    """Kill when the moment has come, one after the other. `patience_s`: how long one may take.

    A moment that passes unseen is an error: then the import was not disturbed as it should.
    """
    for kill in kills:
        await _await_moment(hub, store_id, kill.moment, patience_s)
        await kill_service(hub, kill.victim)


async def kill_service(hub: RunningHub, name: str) -> None:
    """Kill one service; waits for it first if it is just being started."""
    deadline = time.monotonic() + _PATIENCE_S
    while (pid := hub.services[name].pid) is None:
        assert time.monotonic() < deadline, f"{name} stays down"
        await asyncio.sleep(LOOK_EVERY_S)
    os.kill(pid, signal.SIGKILL)


async def _await_moment(hub: RunningHub, store_id: int, moment: Moment, patience_s: float) -> None:
    deadline = time.monotonic() + patience_s
    statement = f"""
      select r.status, ({_PROGRESS[moment.phase].replace("%(run)s", "r.id")})
      from sync_runs r where r.store_id = %(store)s order by r.id desc limit 1
    """
    while True:
        rows = await hub.query(statement, store=store_id, entity=moment.entity)
        status, reached = rows[0] if rows else ("unknown", 0)
        if reached >= moment.reached:
            return
        assert status in {"unknown", "in_progress"}, f"{status} before {moment}"
        assert time.monotonic() < deadline, f"{moment} never came: {status}, {reached}"
        await asyncio.sleep(LOOK_EVERY_S)

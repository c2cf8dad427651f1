"""`import`: how fast a shop gets in, against the floor, and what it costs."""

import asyncio
import json
import os
import platform
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Any, Final, TypeVar

import uvloop

from bench.dlt_run import DltRun, has_dlt, pull_by_dlt
from bench.floor import FloorRun, fetch_and_copy
from bench.import_run import ImportRun, import_shop
from bench.rig import Rig, pid_of, start_rig
from bench.shop import BenchShop, ShopSize, start_shop

T = TypeVar("T")
Say = Callable[[str], None]

MEMORY_SIZES: Final = (("10k", ShopSize(5_000, 5_000)), ("200k", ShopSize(100_000, 100_000)))
_QUICK: Final = ShopSize(1_000, 1_000)
_FULL: Final = ShopSize(20_000, 20_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """What to measure.

    Attributes:
        size: of the shop; None takes 20,000 products and 20,000 orders, or 1,000 of each if quick.
        rounds: imports into empty databases, each with its floor; the medians count.
        is_quick: leaves out what takes minutes: other sizes, the sampled run and dlt.
        is_sampled: whether one more import tells which functions the worker's time goes to;
            None does so unless quick.
    """

    size: ShopSize | None = None
    rounds: int | None = None
    is_quick: bool = False
    is_sampled: bool | None = None

    @property
    def shop_size(self) -> ShopSize:
        """The size of the shop."""
        return self.size or (_QUICK if self.is_quick else _FULL)


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that was found out. What was left out is None or missing."""

    imports: Sequence[ImportRun]
    floors: Sequence[FloorRun]
    peaks_mb: Mapping[str, float]
    sampled: Mapping[str, Any] | None
    dlt: Mapping[str, DltRun]


def measure_import(options: ImportOptions, say: Say) -> Measured:
    """Measure; takes minutes. `say` is told what is being done.

    Raises:
        CommandError: a part did not start, or did not do what it should.
    """
    size = options.shop_size
    peaks: dict[str, float] = {}
    with start_rig() as rig:
        with start_shop(rig.directory, size) as shop:
            rounds = options.rounds or (1 if options.is_quick else 3)
            pairs = []
            for number in range(1, rounds + 1):
                say(f"round {number} of {rounds}: {size}, then the same GETs as the floor")
                pairs.append(_round(rig, shop, number))
            sampled = None
            if options.is_sampled or (options.is_sampled is None and not options.is_quick):
                say("once more, to see where the worker's time goes")
                sampled = _sampled(rig, shop)
            dlt = {} if options.is_quick else _dlt(rig, shop, say)
        for name, other in () if options.is_quick else MEMORY_SIZES:
            say(f"a fresh worker's memory: {other}")
            with start_shop(rig.directory, other) as shop:
                peaks[name] = _import(rig, shop, f"memory_{name}").worker_peak_mb
    imports, floors = zip(*pairs, strict=True)
    return Measured(imports, floors, peaks, sampled, dlt)


def figures(measured: Measured, options: ImportOptions) -> dict[str, Any]:
    """The object for `results.json`; what was not measured is null."""
    runs, floors = measured.imports, measured.floors
    records = runs[0].records
    used, floor_used = ([sum(one.cpu_s.values()) for one in group] for group in (runs, floors))
    rate = records / median(run.seconds for run in runs)
    floor_rate = records / median(floor.seconds for floor in floors)
    main_records = runs[0].held["products"] + runs[0].held["orders"]
    main_rate = main_records / median(run.seconds for run in runs)
    dlt_rates = {name: run.records_per_s for name, run in measured.dlt.items()}
    return {
        "records_per_s": round(rate),
        "floor_records_per_s": round(floor_rate),
        "ratio": round(rate / floor_rate, 3),
        "history_events_per_1000": round(1000 * runs[-1].history_events / records, 1),
        "worker_peak_mb": round(max(run.worker_peak_mb for run in runs)),
        **{
            f"worker_peak_mb_{name}": _rounded(measured.peaks_mb.get(name), 0)
            for name, _ in MEMORY_SIZES
        },
        "dlt_ratio": _ratio(main_rate, dlt_rates.get("nested")),
        "dlt_flat_ratio": _ratio(main_rate, dlt_rates.get("flat")),
        "dlt_records_per_s": {name: round(rate) for name, rate in dlt_rates.items()},
        "dlt_cpu_us_per_record": {
            name: round(1e6 * run.cpu_s / sum(run.held.values()))
            for name, run in measured.dlt.items()
        },
        "dlt_version": next((run.version for run in measured.dlt.values()), None),
        "products": options.shop_size.products,
        "orders": options.shop_size.orders,
        "held": dict(runs[-1].held),
        "gets": len(runs[-1].gets),
        "seconds": [round(run.seconds, 2) for run in runs],
        "floor_seconds": [round(floor.seconds, 2) for floor in floors],
        "cpu_us_per_record": _per_record([run.cpu_s for run in runs], records),
        "cpu_ratio": round(median(floor_used) / median(used), 3),
        "floor_cpu_us_per_record": _per_record([floor.cpu_s for floor in floors], records),
        "worker_cpu_share": measured.sampled and shares(measured.sampled),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
    }


def shares(sampled: Mapping[str, Any]) -> dict[str, float]:
    """Which part of the worker's CPU time each stage takes; the other threads are one stage."""
    whole = sampled["cpu_s"]
    stages = {name: used / whole for name, used in sampled["stages"].items()}
    stages["other threads"] = max(0.0, 1 - sampled["main_thread_s"] / whole)
    return {name: round(share, 3) for name, share in stages.items()}


def _round(rig: Rig, shop: BenchShop, number: int) -> tuple[ImportRun, FloorRun]:
    done = _import(rig, shop, f"import_{number}")
    with rig.database(f"floor_{number}", migrated=False) as database:
        return done, _run(fetch_and_copy(rig, database, shop, done.gets))


def _import(rig: Rig, shop: BenchShop, name: str) -> ImportRun:
    with rig.database(name) as database, rig.worker(database) as worker:
        return _run(import_shop(rig, database, shop, pid_of(worker)))


def _sampled(rig: Rig, shop: BenchShop) -> dict[str, Any]:
    report = rig.directory / "sampled.json"
    with ExitStack() as stack:
        database = stack.enter_context(rig.database("sampled"))
        module = ("bench.sampled_worker", str(report))
        worker = stack.enter_context(rig.worker(database, module=module))
        os.kill(pid_of(worker), signal.SIGUSR1)
        done = _run(import_shop(rig, database, shop, pid_of(worker)))
        os.kill(pid_of(worker), signal.SIGUSR1)
    return {**json.loads(report.read_bytes()), "records": done.records}


def _dlt(rig: Rig, shop: BenchShop, say: Say) -> dict[str, DltRun]:
    if not has_dlt():
        say("dlt is not installed (make bench installs it): left out")
        return {}
    runs = {}
    for name, flat in (("nested", False), ("flat", True)):
        say(f"dlt's REST source, {'flat tables by CSV' if flat else 'as it comes'}: {shop.size}")
        runs[name] = pull_by_dlt(rig, shop, flat=flat)
    return runs


def _per_record(used: Sequence[Mapping[str, float]], records: int) -> dict[str, int]:
    return {
        name: round(1e6 * median(one[name] for one in used) / records) for name in sorted(used[0])
    }


def _ratio(ours: float, theirs: float | None) -> float | None:
    return None if theirs is None else round(ours / theirs, 2)


def _rounded(value: float | None, places: int) -> float | None:
    return None if value is None else round(value, places)


def _run(work: Coroutine[Any, Any, T]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)

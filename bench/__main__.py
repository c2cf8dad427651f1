"""`python -m bench [NAME …]`: measure, print a table, keep the figures in `bench/results.json`."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from bench import fairness_bench, resync_bench
from bench.export_bench import ExportOptions, export_figures, measure_export
from bench.import_bench import ImportOptions, figures, measure_import
from bench.ingress_bench import IngressOptions, accept_figures, measure_accepts
from bench.ingress_e2e import EndToEndOptions, end_to_end_figures, measure_end_to_end
from bench.processes import PROC
from bench.reads_bench import ReadsOptions, measure_reads, reads_figures
from bench.report import show_figures, show_profile
from bench.results import RESULTS, keep
from bench.shop import ShopSize
from runtime.failures import CommandError

_INTERRUPTED: Final = 130
_MOST: Final = 1_000_000


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    made.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHES)}; bare: all")
    made.add_argument("--products", type=_count, metavar="N", help="default: 20,000")
    made.add_argument("--orders", type=_count, metavar="N", help="default: 20,000")
    made.add_argument("--rounds", type=_count, metavar="N", help="default: 3; the medians count")
    made.add_argument(
        "--quick",
        action="store_true",
        help="1,000 of each if not said otherwise, one round, and nothing that takes minutes",
    )
    made.add_argument(
        "--profile", action="store_true", help="show the functions the worker's time goes to"
    )
    made.add_argument("--results", type=Path, default=RESULTS, help="default: bench/results.json")
    return made


def bench_import(args: argparse.Namespace, console: Console) -> None:
    """Run the bench `import`."""
    options = ImportOptions(
        size=_size(args),
        rounds=args.rounds,
        is_quick=args.quick,
        is_sampled=True if args.profile else None,
    )
    measured = measure_import(options, lambda step: console.print(f"[dim]{step}[/dim]"))
    found = figures(measured, options)
    keep(args.results, "import", found)
    show_figures(console, "import", found)
    if args.profile and measured.sampled is not None:
        show_profile(console, measured.sampled)


def bench_resync(args: argparse.Namespace, console: Console) -> None:
    """Run the bench `resync`."""
    size = _size(args) or (resync_bench.QUICK if args.quick else resync_bench.FULL)
    measured = resync_bench.measure_resync(size, lambda step: console.print(f"[dim]{step}[/dim]"))
    found = resync_bench.resync_figures(measured)
    keep(args.results, "resync", found)
    show_figures(console, "resync", found)


def bench_ingress(args: argparse.Namespace, console: Console) -> None:
    """Run the bench `ingress`."""

    def say(step: str) -> None:
        console.print(f"[dim]{step}[/dim]")

    rounds = args.rounds or (1 if args.quick else 3)
    seconds = 1.0 if args.quick else 5.0
    accepts = measure_accepts(IngressOptions(rounds=rounds, seconds=seconds), say)
    options = EndToEndOptions(seconds=5, products=100) if args.quick else EndToEndOptions()
    found = accept_figures(accepts) | end_to_end_figures(measure_end_to_end(options, say))
    keep(args.results, "ingress", found)
    show_figures(console, "ingress", found)


def bench_fairness(args: argparse.Namespace, console: Console) -> None:
    """Run the bench `fairness`."""
    size = _size(args) or (fairness_bench.QUICK if args.quick else fairness_bench.FULL)
    seconds = fairness_bench.QUICK_S if args.quick else fairness_bench.FULL_S
    measured = fairness_bench.measure_fairness(
        size, seconds, lambda step: console.print(f"[dim]{step}[/dim]")
    )
    found = fairness_bench.fairness_figures(measured)
    keep(args.results, "fairness", found)
    show_figures(console, "fairness", found)


def bench_reads(args: argparse.Namespace, console: Console) -> None:
    """Run the bench `reads`."""
    options = ReadsOptions(
        products=args.products or (20_000 if args.quick else 1_000_000),
        rounds=args.rounds or (1 if args.quick else 3),
        seconds=2.0 if args.quick else 5.0,
    )
    found = reads_figures(measure_reads(options, lambda step: console.print(f"[dim]{step}[/dim]")))
    keep(args.results, "reads", found)
    show_figures(console, "reads", found)


def bench_export(args: argparse.Namespace, console: Console) -> None:
    """Run the bench `export`."""
    products = args.products or (20_000 if args.quick else 1_000_000)
    options = ExportOptions(products=products, rounds=args.rounds or (1 if args.quick else 3))
    measured = measure_export(options, lambda step: console.print(f"[dim]{step}[/dim]"))
    found = export_figures(measured)
    keep(args.results, "export", found)
    show_figures(console, "export", found)


BENCHES: Final[Mapping[str, Callable[[argparse.Namespace, Console], None]]] = {
    "import": bench_import,
    "resync": bench_resync,
    "fairness": bench_fairness,
    "ingress": bench_ingress,
    "export": bench_export,
    "reads": bench_reads,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benches that are named, or all; returns the exit code."""
    wanted = parser()
    args = wanted.parse_args(argv)
    if unknown := [name for name in args.names if name not in BENCHES]:
        wanted.error(f"no bench {unknown[0]!r}; there is: {', '.join(BENCHES)}")
    if not PROC.is_dir():
        wanted.error("CPU and memory are read from /proc, which is Linux's")
    console = Console()
    try:
        for name in args.names or BENCHES:
            BENCHES[name](args, console)
    except CommandError as error:
        sys.stderr.write(f"bench: {error}\n")
        return error.exit_code
    return 0


def _count(text: str) -> int:
    """A number worth measuring with."""
    if not text.isdecimal() or not 1 <= int(text) <= _MOST:
        raise argparse.ArgumentTypeError(f"a number from 1 to {_MOST:,} is needed")
    return int(text)


def _size(args: argparse.Namespace) -> ShopSize | None:
    if args.products is None and args.orders is None:
        return None
    default = ImportOptions(is_quick=args.quick).shop_size
    return ShopSize(args.products or default.products, args.orders or default.orders)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)

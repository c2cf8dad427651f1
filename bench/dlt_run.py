"""Runs dlt beside us, where it is installed."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from bench.rig import BenchError, Rig
from bench.shop import API_PATH, BenchShop

_SOURCES: Final = Path(__file__).parents[1]
_SLOWEST_RECORDS_PER_S: Final = 100


@dataclass(frozen=True, slots=True)
class DltRun:
    """What one pipeline did."""

    seconds: float
    cpu_s: float
    held: Mapping[str, int]
    version: str

    @property
    def records_per_s(self) -> float:
        """Products and orders a second."""
        return sum(self.held.values()) / self.seconds


def has_dlt() -> bool:
    """Whether the optional extra `bench` is installed."""
    return find_spec("dlt") is not None


def pull_by_dlt(rig: Rig, shop: BenchShop, *, flat: bool) -> DltRun:
    """Read the shop's products and orders into a database of their own.

    Raises:
        BenchError: it takes unreasonably long, or failed; the message ends with what dlt said.
    """
    name = "dlt_flat" if flat else "dlt_nested"
    home = rig.directory / name
    home.mkdir()
    with rig.database(name, migrated=False) as database:
        told = {
            "base_url": f"{shop.https_url}{API_PATH}",
            "key": shop.consumer_key,
            "secret": shop.consumer_secret,
            # dlt insists on a password and a host; the socket's directory in the query wins.
            "database_url": database.owner_url.replace("@/", ":none@localhost:5432/"),
            "flat": flat,
        }
        patience_s = 60 + (shop.size.products + shop.size.orders) / _SLOWEST_RECORDS_PER_S
        try:
            done = subprocess.run(
                [sys.executable, "-m", "bench.dlt_pull"],
                input=json.dumps(told),
                text=True,
                capture_output=True,
                env=_environment(home, shop.ca_file),
                cwd=home,
                timeout=patience_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise BenchError(f"dlt was not done after {patience_s:.0f} s") from None
    if done.returncode != 0:
        raise BenchError(f"dlt failed: {done.stderr[-2_000:]}")
    return DltRun(**json.loads(done.stdout.splitlines()[-1]))


def _environment(home: Path, ca_file: Path) -> dict[str, str]:
    """Nothing of the person who measures, and no word to anybody outside."""
    path = os.pathsep.join(filter(None, (str(_SOURCES), os.environ.get("PYTHONPATH", ""))))
    return {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": path,
        "HOME": str(home),
        "DLT_DATA_DIR": str(home),
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "REQUESTS_CA_BUNDLE": str(ca_file),
    }

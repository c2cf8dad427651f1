"""The shop that is read: a sandbox as a process of its own, and what it says was asked of it."""

import json
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

from bench.rig import pid_of, running
from runtime.embedded.child import Program
from runtime.embedded.hub import child_environment
from runtime.embedded.programs import EmbeddedProgram

PROVIDER: Final = "woocommerce"
API_PATH: Final = "/wp-json/wc/v3/"
_CREDENTIALS: Final = ("oauth_", "consumer_")


@dataclass(frozen=True, slots=True)
class ShopSize:
    """What is in the shop."""

    products: int
    orders: int

    def __str__(self) -> str:
        return f"{self.products:,} products and {self.orders:,} orders"


@dataclass(frozen=True, slots=True)
class Get:
    """One GET the shop was asked, without the credentials."""

    path: str
    params: tuple[tuple[str, str], ...]

    @property
    def entity(self) -> str:
        """What its rows are: the last word of the path (`orders`, `categories`)."""
        return [word for word in self.path.split("/") if not word.isdigit()][-1]

    @property
    def is_whole(self) -> bool:
        """Whether the rows are whole records, not ids alone."""
        return all(name != "_fields" for name, _ in self.params)


@dataclass(frozen=True, slots=True)
class BenchShop:
    """A shop that answers."""

    size: ShopSize
    pid: int
    url: str
    https_url: str
    ca_file: Path
    consumer_key: str
    consumer_secret: str = field(repr=False)
    token: str = field(repr=False)

    @property
    def form(self) -> dict[str, str]:
        """The connection form, filled in."""
        return {
            "storeUrl": self.url,
            "consumerKey": self.consumer_key,
            "consumerSecret": self.consumer_secret,
        }

    def forget(self) -> None:
        """Clear the log of requests."""
        self._control("DELETE", "log")

    def gets(self) -> tuple[Get, ...]:
        """The GETs since `forget`, in the order they came."""
        entries = sorted(self._control("GET", "log"), key=lambda entry: float(entry["started"]))
        return tuple(
            Get(entry["path"], without_credentials(entry["query"]))
            for entry in entries
            if entry["method"] == "GET" and entry["path"].startswith(API_PATH)
        )

    def _control(self, method: str, what: str) -> Any:
        request = urllib.request.Request(
            f"{self.url}/_sandbox/{what}", method=method, headers={"X-Sandbox-Token": self.token}
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=30) as answer:
            return json.load(answer)


def without_credentials(query: str) -> tuple[tuple[str, str], ...]:
    """The parameters of a query that do not prove who asks."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return tuple(pair for pair in pairs if not pair[0].startswith(_CREDENTIALS))


@contextmanager
def start_shop(directory: Path, size: ShopSize) -> Iterator[BenchShop]:
    """A shop of that size, rendered beforehand so that it answers as fast as it can."""
    log = directory / "logs" / "shop.log"
    log.unlink(missing_ok=True)
    words = ("--products", size.products, "--orders", size.orders, "--port", 0, "--https-port", 0)
    program = EmbeddedProgram(
        "shop",
        Program(
            argv=(
                *(sys.executable, "-m", "sandbox.woocommerce", "--ca-dir", str(directory)),
                *map(str, words),
            ),
            log=log,
            env=child_environment({}),
            cwd=directory,
        ),
        is_ready=lambda: _ready_line(log) is not None,
    )
    with running(program):
        ready = json.loads(_ready_line(log) or "{}")
        ready["ca_file"] = Path(ready["ca_file"])
        yield BenchShop(size=size, pid=pid_of(program), **ready)


def _ready_line(log: Path) -> str | None:
    for line in log.read_text().splitlines(keepends=True):
        if line.startswith("{") and line.endswith("}\n"):
            return line
    return None

import asyncio
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from sandbox.woocommerce.seed import ShopSeed, api_key
from sandbox.woocommerce.serving import Address, Options, Ready, serving
from tests.sandbox.client import ShopClient


@dataclass(frozen=True)
class Served:
    ready: Ready
    seed: ShopSeed
    trust: ssl.SSLContext = field(repr=False)

    @property
    def key(self) -> tuple[str, str]:
        return self.ready.consumer_key, self.ready.consumer_secret

    @property
    def read_key(self) -> tuple[str, str]:
        return api_key(self.seed.seed, "read")

    @property
    def write_key(self) -> tuple[str, str]:
        return api_key(self.seed.seed, "write")


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    seed = ShopSeed(products=300, orders=240, seed=7)
    ca_dir = tmp_path_factory.mktemp("ca")
    started = threading.Event()
    handed: list[tuple[Ready, asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def run() -> None:
        stop = asyncio.Event()
        address = Address(https_port=0, ca_dir=Path(ca_dir))
        async with serving(seed, address, Options(token="control")) as (ready, _):
            handed.append((ready, asyncio.get_running_loop(), stop))
            started.set()
            await stop.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert started.wait(20)
    ready, loop, stop = handed[0]
    yield Served(ready, seed, ssl.create_default_context(cafile=ready.ca_file))
    loop.call_soon_threadsafe(stop.set)
    thread.join()


@pytest.fixture(scope="session")
def http(served: Served) -> Iterator[httpx.Client]:
    with httpx.Client(verify=served.trust) as client:
        yield client


@pytest.fixture(scope="session")
def shop(served: Served) -> Iterator[ShopClient]:
    url = served.ready.https_url or ""
    with ShopClient(base_url=url, auth=served.key, verify=served.trust) as client:
        yield client


@pytest.fixture(scope="session")
def open_panel(served: Served) -> Iterator[httpx.Client]:
    url, headers = f"{served.ready.url}/_sandbox", {"X-Sandbox-Token": served.ready.token}
    with httpx.Client(base_url=url, headers=headers, verify=served.trust) as client:
        yield client


@pytest.fixture
def panel(open_panel: httpx.Client) -> Iterator[httpx.Client]:
    yield open_panel
    open_panel.delete("/faults")

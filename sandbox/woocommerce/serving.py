"""A shop on real sockets: in this event loop, as a blocking call, or as a process of its own."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path

from sandbox.server import listen, port_of, running
from sandbox.tls import make_tls_files
from sandbox.woocommerce.app import Sandbox, create_app
from sandbox.woocommerce.seed import ShopSeed
from sandbox.woocommerce.shop import Shop


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """Where to listen; port 0 takes a free one, `https_port` None means no https."""

    host: str = "127.0.0.1"
    port: int = 0
    https_port: int | None = None
    ca_dir: Path | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """A shop that answers: the ready line."""

    url: str
    https_url: str | None
    ca_file: str | None
    consumer_key: str
    consumer_secret: str = field(repr=False)
    token: str = field(repr=False)

    def as_dict(self) -> dict[str, str | None]:
        """What the ready line says."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True, slots=True)
class Options:
    """How the shop behaves, beyond what is in it. Keys are made from the seed if not given."""

    flat_variations: bool = True
    consumer_key: str = ""
    consumer_secret: str = ""
    token: str = ""
    prerender: bool = True


@asynccontextmanager
async def serving(
    seed: ShopSeed, address: Address | None = None, options: Options | None = None
) -> AsyncIterator[tuple[Ready, Sandbox]]:
    """A served shop and what watches it, for as long as the context is open."""
    address, options = address or Address(), options or Options()
    async with AsyncExitStack() as stack:
        plain = listen(address.host, address.port)
        home = f"http://{address.host}:{port_of(plain)}"
        shop = Shop(seed, home_url=home, flat_variations=options.flat_variations)
        if options.consumer_key and options.consumer_secret:
            shop.keys.replace(options.consumer_key, options.consumer_secret)
        box = Sandbox(shop, options.token or secrets.token_urlsafe(24))
        if options.prerender:
            shop.prerender()
        app = create_app(shop, sandbox=box)
        await stack.enter_async_context(running(app, plain))
        https_url = ca_file = None
        if address.https_port is not None:
            if address.ca_dir is None:
                raise ValueError("https needs ca_dir, a directory for the test authority's files")
            files = make_tls_files(address.ca_dir)
            secure = listen(address.host, address.https_port)
            https_url = shop.https_url = f"https://{address.host}:{port_of(secure)}"
            ca_file = str(files.ca)
            await stack.enter_async_context(running(app, secure, files))
        key = shop.key
        yield Ready(home, https_url, ca_file, key.consumer_key, key.consumer_secret, box.token), box


def serve(
    seed: ShopSeed, address: Address, options: Options, on_ready: Callable[[Ready], None]
) -> None:
    """Serve until SIGINT or SIGTERM; `on_ready` is called once both ports answer."""

    async def until_told() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        async with serving(seed, address, options) as (ready, _):
            on_ready(ready)
            await stop.wait()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(until_told())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The faster loop, where there is one."""
    try:
        uvloop = import_module("uvloop")
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory

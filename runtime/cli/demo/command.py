"""`entrepot demo`: a shop connected and imported, a change sent each way, every record compared."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from runtime.cli.api_client import ApiAccess, ApiClient, connect
from runtime.cli.demo.report import DemoRun, as_json, show_links, show_summary
from runtime.cli.demo.round_trip import make_round_trip
from runtime.cli.demo.verify import verify
from runtime.cli.errors import CliError
from runtime.cli.imports import Status, follow
from runtime.cli.progress import showing_import
from runtime.cli.sandbox_shop import PROVIDER, SandboxShop, ShopSize
from runtime.cli.screen import say, show_json
from runtime.embedded.connection import Connection
from runtime.embedded.hub import EmbeddedHub, HubOptions
from runtime.embedded.supervisor import Supervisor
from runtime.logging import configure_logging

_CODE: Final = "sandbox"
_NAME: Final = "Sandbox shop"
_INTERRUPTED: Final = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOptions:
    """What to show. `is_json` puts nothing but JSON on stdout; `once` ends after the comparison."""

    data_dir: Path
    port: int | None = None
    size: ShopSize = field(default_factory=ShopSize)
    once: bool = False
    is_json: bool = False


async def run_demo(options: DemoOptions) -> int:
    """Run the demo; returns the exit code: 0 when every record in the hub is right.

    Raises:
        EmbeddedError: something cannot start.
        CliError: the API refuses what the demo asks for.
    """
    started = time.monotonic()
    data_dir = options.data_dir.absolute()
    hub = EmbeddedHub(
        HubOptions(
            data_dir=data_dir,
            port=options.port,
            settings={"allow_private_addresses": "true"},
            is_public_here=True,
        )
    )
    hub.take()
    code = _INTERRUPTED
    try:
        async with Supervisor() as group:
            say(f"Starting PostgreSQL, Temporal, worker, API and a shop in {data_dir}", stderr=True)
            shop = SandboxShop.prepare(data_dir, options.size)
            connection = await hub.start(group, shop.program(data_dir))
            ready_s = time.monotonic() - started
            say(f"Ready after {ready_s:.1f} s: API at {connection.api_url}", stderr=True)
            run = await _import(connection, shop, ready_s=ready_s)
            code = 0 if run.is_right else 1
            _tell(run, connection, options)
            if not options.once:
                await group.wait()
    finally:
        hub.release()
    if not options.once:
        say("Everything is stopped; the data stays. `entrepot demo` goes on with it.", stderr=True)
        return 0 if code == _INTERRUPTED else code
    return code


async def _import(connection: Connection, shop: SandboxShop, *, ready_s: float) -> DemoRun:
    access = ApiAccess(connection.api_url, connection.api_key, connection.api_secret)
    async with connect(access) as api:
        began = time.monotonic()
        store_id, ui_url = await _begin(api, shop)
        with showing_import(stderr=True) as show:
            status = await follow(api, store_id, show)
        import_s = time.monotonic() - began
        if status["syncStatus"] != "success":
            raise CliError(f"the import did not succeed: {_why(status)}", exit_code=1)
        say("Changing a price in the hub, and then in the shop", stderr=True)
        trip = await make_round_trip(api, shop, store_id)
        began = time.monotonic()
        verdict = await verify(api, shop, store_id)
        return DemoRun(
            verdict=verdict,
            status=status,
            trip=trip,
            workflow_url=ui_url or status["temporalUiUrl"],
            ready_s=ready_s,
            import_s=import_s,
            verify_s=time.monotonic() - began,
        )


async def _begin(api: ApiClient, shop: SandboxShop) -> tuple[int, str | None]:
    """Connect the shop, or find it connected, and start its import."""
    store = await _find(api)
    if store is None:
        say(f"Connecting the shop at {shop.url} and importing it", stderr=True)
        body = {"name": _NAME, "code": _CODE, "provider": PROVIDER, "config": shop.form}
        created = await api.post("/api/stores", {**body, "sync": True})
        return created["id"], created["temporalUiUrl"]
    if store["storeUrl"] != shop.url:
        say(f"The shop moved to {shop.url}", stderr=True)
    # The shop begins anew with every run, and knows nothing of webhooks: this makes them again.
    moved = {"config": shop.form, "storeMoved": True}
    await api.patch(f"/api/stores/{store['id']}", moved)
    started = await api.post(f"/api/stores/{store['id']}/import")
    what = "its import goes on" if started["alreadyRunning"] else "importing it again"
    say(f"The shop at {shop.url} is connected: {what}", stderr=True)
    return store["id"], started["temporalUiUrl"]


async def _find(api: ApiClient) -> Any:
    async for store in api.list_all("/api/stores"):
        if store["code"] == _CODE:
            return store
    return None


def _tell(run: DemoRun, connection: Connection, options: DemoOptions) -> None:
    if options.is_json:
        show_json(as_json(run))
    show_summary(run, stderr=options.is_json)
    if not options.once:
        show_links(run, connection, options.data_dir, stderr=options.is_json)


def _why(status: Status) -> str:
    return str(status["lastSyncError"] or status["syncStatus"])


def main(  # noqa: PLR0913 - the options of the command
    *,
    data_dir: Path,
    port: int | None,
    products: int | None,
    orders: int | None,
    seed: int | None,
    once: bool,
    is_json: bool,
) -> int:
    """Run the demo as the command line asks; returns the exit code."""
    configure_logging(level="info", log_format="console")
    size = ShopSize(products=products, orders=orders, seed=seed)
    options = DemoOptions(data_dir=data_dir, port=port, size=size, once=once, is_json=is_json)
    return asyncio.run(run_demo(options))

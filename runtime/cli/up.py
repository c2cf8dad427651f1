"""`entrepot up`: a hub on this machine until Ctrl-C."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from runtime.cli.sandbox_shop import SHOP_FILE, SandboxShop, ShopSize
from runtime.cli.screen import say
from runtime.embedded.connection import CONNECTION_FILE, Connection
from runtime.embedded.hub import EmbeddedHub, HubOptions
from runtime.embedded.programs import EmbeddedProgram
from runtime.embedded.supervisor import Supervisor
from runtime.logging import configure_logging


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """What to run."""

    data_dir: Path
    port: int | None = None
    temporal_ui_port: int | None = None
    sandbox: bool = False


async def run_up(options: UpOptions) -> None:
    """Serve until SIGINT or SIGTERM. Raises CommandError."""
    data_dir = options.data_dir.absolute()
    hub = EmbeddedHub(
        HubOptions(
            data_dir=data_dir,
            port=options.port,
            temporal_ui_port=options.temporal_ui_port,
            settings={"allow_private_addresses": "true"} if options.sandbox else {},
            is_public_here=options.sandbox,
        )
    )
    hub.take()
    try:
        async with Supervisor() as group:
            shop: tuple[EmbeddedProgram, ...] = ()
            if options.sandbox:
                shop = (SandboxShop.prepare(data_dir, ShopSize()).program(data_dir),)
            connection = await hub.start(group, *shop)
            say(_ready_line(connection, options))
            await group.wait()
    finally:
        hub.release()


def _ready_line(connection: Connection, options: UpOptions) -> str:
    parts = [
        f"ready: API {connection.api_url} (docs: {connection.api_url}/docs)",
        f"Temporal UI {connection.temporal_ui_url}",
        f"key in {options.data_dir / CONNECTION_FILE}",
    ]
    if options.sandbox:
        parts.append(f"shop in {options.data_dir / SHOP_FILE}")
    return ", ".join(parts)


def main(*, data_dir: Path, port: int | None, temporal_ui_port: int | None, sandbox: bool) -> int:
    """Run the hub as the command line asks; returns the exit code."""
    configure_logging(level="info", log_format="console")
    options = UpOptions(
        data_dir=data_dir, port=port, temporal_ui_port=temporal_ui_port, sandbox=sandbox
    )
    asyncio.run(run_up(options))
    return 0

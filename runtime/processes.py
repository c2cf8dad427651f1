"""What our long-running processes have in common: settings, logs, signals, the event loop."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable

import uvloop

from runtime.failures import CommandError
from runtime.logging import configure_logging
from runtime.settings import Settings, load_settings

Serve = Callable[[Settings, asyncio.Event], Awaitable[None]]


def run_process(name: str, serve: Serve) -> int:
    """Run one of our processes until SIGINT or SIGTERM; returns its exit code."""
    try:
        settings = load_settings()
        configure_logging(level=settings.log_level, log_format=settings.log_format, process=name)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_told(serve, settings))
    except CommandError as error:
        sys.stderr.write(f"entrepot: {error}\n")
        return error.exit_code
    return 0


async def _until_told(serve: Serve, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, stop)

"""What our long-running processes have in common: settings, logs, signals, the event loop."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable

import uvloop

from runtime.logging import configure_logging
from runtime.settings import Settings, SettingsError, load_settings

WRONG_INPUT = 2
"""Exit code of a process that was given something it cannot work with."""

Serve = Callable[[Settings, asyncio.Event], Awaitable[None]]


class StartError(Exception):
    """A process cannot do what it was started for. One line that says what to do."""


def run_process(name: str, serve: Serve) -> int:
    """Run one of our processes until SIGINT or SIGTERM; returns its exit code."""
    try:
        settings = load_settings()
    except SettingsError as error:
        sys.stderr.write(f"entrepot: {error}\n")
        return WRONG_INPUT
    configure_logging(level=settings.log_level, log_format=settings.log_format, process=name)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_until_told(serve, settings))
    except (SettingsError, StartError) as error:
        sys.stderr.write(f"entrepot: {error}\n")
        return WRONG_INPUT
    return 0


async def _until_told(serve: Serve, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    await serve(settings, stop)

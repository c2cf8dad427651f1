"""Keeps a group of services running: restarts what dies, stops all in order, leaves nothing."""

import asyncio
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Protocol, Self

import structlog

from runtime.embedded.child import EmbeddedError

_LOG = structlog.stdlib.get_logger(__name__)
_LOOK_EVERY_S: Final = 0.05
_STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Service(Protocol):
    """Something that runs as a process and can be started again after it died.

    `prepare` and `wait_ready` may block; they run in a thread. `spawn` is quick and runs in the
    supervisor's own thread, whose end is the child's end.
    """

    name: str
    log: Path

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""

    @property
    def exit_code(self) -> int | None:
        """How the last run ended."""

    def prepare(self) -> None:
        """What has to be done before each start."""

    def spawn(self) -> None:
        """Start the process."""

    def wait_ready(self) -> None:
        """Wait until it serves. Raises EmbeddedError if it will not."""

    def is_alive(self) -> bool:
        """Whether the process runs."""

    def stop(self) -> None:
        """End the process, politely first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartPolicy:
    """A death within `quick_s` of the start is quick; `max_quick` of them in a row are too many."""

    quick_s: float = 3.0
    max_quick: int = 8
    delays_s: tuple[float, ...] = (0.0, 0.0, 0.2, 0.5, 1.0, 2.0)


class SupervisorError(EmbeddedError):
    """A service dies again and again, so all were stopped."""


@dataclass(slots=True)
class _Watched:
    service: Service
    started_at: float = 0.0
    quick_deaths: int = 0
    starting: asyncio.Task[None] | None = None

    def is_starting(self) -> bool:
        return self.starting is not None and not self.starting.done()


class Supervisor:
    """`async with Supervisor() as group:` start services, do the work, `await group.wait()`.

    SIGINT and SIGTERM end the block, wherever it is; leaving it stops the services, last started
    first. A service that cannot be kept up ends it too.

    Raises:
        SupervisorError: from the block's end, when a service died too often.
    """

    def __init__(self, policy: RestartPolicy | None = None) -> None:
        self._policy = policy or RestartPolicy()
        self._groups: list[list[_Watched]] = []
        self._failure: SupervisorError | None = None
        self._stop_asked = False
        self._main: asyncio.Task[object] | None = None
        self._watching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._main = asyncio.current_task()
        loop = asyncio.get_running_loop()
        for stop_signal in _STOP_SIGNALS:
            loop.add_signal_handler(stop_signal, self.ask_to_stop)
        self._watching = loop.create_task(self._watch())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        await self._stop_all()
        loop = asyncio.get_running_loop()
        for stop_signal in _STOP_SIGNALS:
            loop.remove_signal_handler(stop_signal)
        was_ours = kind is asyncio.CancelledError and (self._stop_asked or self._failure)
        if was_ours and self._main is not None:
            self._main.uncancel()
        if self._failure is not None and (was_ours or kind is None):
            raise self._failure from None
        return bool(was_ours)

    def ask_to_stop(self) -> None:
        """End the block, as Ctrl-C does."""
        if not self._stop_asked and self._main is not None:
            self._stop_asked = True
            self._main.cancel()

    async def start(self, *services: Service) -> None:
        """Start services side by side; returns when all are ready.

        Raises:
            EmbeddedError: one of them does not come up.
        """
        group = [_Watched(service) for service in services]
        starts = [asyncio.create_task(_bring_up(watched)) for watched in group]
        for watched, task in zip(group, starts, strict=True):
            watched.starting = task
        self._groups.append(group)
        await asyncio.gather(*starts)

    async def wait(self) -> None:
        """Keep the services up until the block is ended from outside."""
        await asyncio.Event().wait()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            for watched in self._watched():
                if not watched.is_starting() and not watched.service.is_alive():
                    watched.starting = asyncio.create_task(self._restart(watched))

    async def _restart(self, watched: _Watched) -> None:
        service = watched.service
        while not service.is_alive():
            is_quick = time.monotonic() - watched.started_at < self._policy.quick_s
            watched.quick_deaths = watched.quick_deaths + 1 if is_quick else 1
            _LOG.warning("service_died", service=service.name, exit_code=service.exit_code)
            if watched.quick_deaths >= self._policy.max_quick:
                self._fail(
                    f"{service.name} died {watched.quick_deaths} times in a row "
                    f"(exit code {service.exit_code}): see {service.log}"
                )
                return
            delays = self._policy.delays_s
            await asyncio.sleep(delays[min(watched.quick_deaths, len(delays)) - 1])
            try:
                await _bring_up(watched)
                _LOG.info("service_restarted", service=service.name, pid=service.pid)
            except EmbeddedError as error:
                _LOG.warning("service_not_ready", service=service.name, reason=str(error))

    def _fail(self, message: str) -> None:
        self._failure = self._failure or SupervisorError(message)
        if self._main is not None:
            self._main.cancel()

    def _watched(self) -> Sequence[_Watched]:
        return [watched for group in self._groups for watched in group]

    async def _stop_all(self) -> None:
        tasks = [task for task in (self._watching, *(w.starting for w in self._watched())) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for group in reversed(self._groups):
            await asyncio.gather(*(asyncio.to_thread(watched.service.stop) for watched in group))


async def _bring_up(watched: _Watched) -> None:
    await asyncio.to_thread(watched.service.prepare)
    watched.started_at = time.monotonic()
    watched.service.spawn()
    await asyncio.to_thread(watched.service.wait_ready)

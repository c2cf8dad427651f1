"""The supervisor: restarts, gives up in clear words, and leaves nothing behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from runtime.embedded.child import EmbeddedError, Program, wait_until
from runtime.embedded.programs import EmbeddedProgram
from runtime.embedded.supervisor import RestartPolicy, Supervisor, SupervisorError

ROOT = Path(__file__).parents[3]
IMPATIENT = RestartPolicy(max_quick=3, delays_s=(0.0,))


def program(tmp_path: Path, name: str, script: str) -> EmbeddedProgram:
    log = tmp_path / f"{name}.log"
    return EmbeddedProgram(name, Program(argv=("/bin/sh", "-c", script), log=log))


def is_running(pid: int) -> bool:
    """A zombie has ended: nobody but its parent is left to read how."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@contextmanager
def running_group(data_dir: Path) -> Iterator[tuple[subprocess.Popen[bytes], list[int]]]:
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("group.py")), str(data_dir)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as group:
        try:
            assert group.stdout is not None
            yield group, json.loads(group.stdout.readline())
        finally:
            group.kill()


async def test_a_killed_service_is_started_again(tmp_path: Path) -> None:
    service = program(tmp_path, "sleeper", "exec sleep 600")
    async with Supervisor() as group:
        await group.start(service)
        first = service.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        assert await asyncio.to_thread(wait_until, lambda: service.pid not in {first, None}, 5)
        assert (is_running(first), service.is_alive()) == (False, True)
    assert not service.is_alive()


async def test_a_service_that_keeps_dying_stops_all_and_names_its_log(tmp_path: Path) -> None:
    steady = program(tmp_path, "steady", "exec sleep 600")
    broken = program(tmp_path, "broken", "echo no such table; sleep 0.05; exit 3")

    async def run() -> None:
        async with Supervisor(IMPATIENT) as group:
            await group.start(steady)
            await group.start(broken)
            await group.wait()

    with pytest.raises(SupervisorError) as failure:
        await run()
    assert str(failure.value) == (
        f"broken died 3 times in a row (exit code 3): see {tmp_path / 'broken.log'}"
    )
    assert (tmp_path / "broken.log").read_text() == "no such table\n" * 3
    assert not steady.is_alive()


async def test_a_service_that_never_comes_up_fails_the_start(tmp_path: Path) -> None:
    log = tmp_path / "stillborn.log"
    service = EmbeddedProgram(
        "stillborn", Program(argv=("/bin/sh", "-c", "exit 4"), log=log), is_ready=lambda: False
    )

    async def run() -> None:
        async with Supervisor() as group:
            await group.start(service)

    with pytest.raises(EmbeddedError, match=f"^stillborn ended with exit code 4: see {log}$"):
        await run()


async def test_services_stop_in_the_reverse_order_of_their_start(tmp_path: Path) -> None:
    order = tmp_path / "order"
    script = f"trap 'echo $0 >> {order}; exit 0' TERM; touch ready-$0; while :; do sleep 0.02; done"
    services = [
        EmbeddedProgram(
            name,
            Program(
                argv=("/bin/sh", "-c", script, name), log=tmp_path / f"{name}.log", cwd=tmp_path
            ),
            is_ready=(tmp_path / f"ready-{name}").exists,
        )
        for name in ("first", "second")
    ]
    async with Supervisor() as group:
        for service in services:
            await group.start(service)
        group.ask_to_stop()
        await group.wait()
    assert order.read_text() == "second\nfirst\n"


@pytest.mark.parametrize("stop_signal", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_whole_group_and_lets_it_finish(
    tmp_path: Path, stop_signal: signal.Signals
) -> None:
    with running_group(tmp_path) as (group, pids):
        group.send_signal(stop_signal)
        assert group.stdout is not None
        assert group.stdout.read() == b"stopped\n"
        assert group.wait(20) == 0
    assert [is_running(pid) for pid in pids] == [False, False, False]
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


def test_kill_9_of_the_supervisor_takes_its_services_along(tmp_path: Path) -> None:
    with running_group(tmp_path) as (group, pids):
        group.kill()
        group.wait()
        services = pids[:2]
        assert wait_until(lambda: not any(is_running(pid) for pid in services), 10)
        os.kill(pids[2], signal.SIGKILL)
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()

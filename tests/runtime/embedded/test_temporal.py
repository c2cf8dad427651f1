"""The embedded Temporal server: state and address outlive a kill."""

import os
import signal
from pathlib import Path

from temporalio.client import Client, WorkflowExecutionStatus

from runtime.embedded.child import wait_until
from runtime.embedded.temporal import EmbeddedTemporal
from runtime.search_attributes import missing_search_attributes


async def test_workflows_survive_kill_9_and_the_address_stays(tmp_path: Path) -> None:
    server = EmbeddedTemporal(tmp_path, headless=True)
    server.start()
    try:
        client = await Client.connect(server.address)
        assert await missing_search_attributes(client) == []
        await client.start_workflow("Unserved", id="kept", task_queue="nobody")
        address, pid = server.address, server.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: not server.is_alive(), 5)
        server.start()
        assert server.address == address
        description = await client.get_workflow_handle("kept").describe()
        assert description.status == WorkflowExecutionStatus.RUNNING
    finally:
        server.stop()


def test_a_port_in_use_gives_way_to_another(tmp_path: Path) -> None:
    first = EmbeddedTemporal(tmp_path / "first", headless=True)
    first.prepare()
    wanted = int(first.address.rpartition(":")[2])
    first.spawn()
    first.wait_ready()
    try:
        second = EmbeddedTemporal(tmp_path / "second", port=wanted)
        second.prepare()
        assert second.address != first.address
        second.stop()
    finally:
        first.stop()

"""A sandbox shop in a process of its own, and its control API."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Shop:
    """A running shop."""

    url: str
    https_url: str | None
    ca_file: str | None
    consumer_key: str
    consumer_secret: str
    control: httpx.AsyncClient

    @property
    def form(self) -> dict[str, str]:
        """The connection form, filled in for plain HTTP."""
        return {
            "storeUrl": self.url,
            "consumerKey": self.consumer_key,
            "consumerSecret": self.consumer_secret,
        }

    async def operate(self, **operation: Any) -> list[int]:
        """Work in the shop as its people do; returns the ids."""
        answer = await self.control.post("operations", json=operation)
        ids: list[int] = answer.raise_for_status().json()["ids"]
        return ids

    async def set_faults(self, *rules: dict[str, Any]) -> None:
        """Let requests go wrong in these ways and no other."""
        (await self.control.delete("faults")).raise_for_status()
        (await self.control.post("faults", json=rules)).raise_for_status()

    async def truth(self, entity: str) -> set[str]:
        """The ids of what is live."""
        answer = await self.control.get("truth", params={"entity": entity})
        lines = answer.raise_for_status().text.splitlines()
        return {str(json.loads(line)["id"]) for line in lines}

    async def asked(self) -> Counter[str]:
        """How often each address was read, credentials aside; forgets it then."""
        entries = (await self.control.get("log")).raise_for_status().json()
        (await self.control.delete("log")).raise_for_status()
        return Counter(
            f"{one['path']}?{one['query']}"
            for one in entries
            if one["method"] == "GET" and "/_sandbox/" not in one["path"]
        )


@asynccontextmanager
async def open_shop(*arguments: str) -> AsyncIterator[Shop]:
    """A shop made as the sandbox's command line says."""
    argv = (sys.executable, "-m", "sandbox.woocommerce", "--port", "0", *arguments)
    with running(argv) as process:
        assert process.stdout is not None
        ready = json.loads(await asyncio.to_thread(process.stdout.readline))
        token = ready.pop("token")
        async with httpx.AsyncClient(
            base_url=f"{ready['url']}/_sandbox/",
            headers={"X-Sandbox-Token": token},
            trust_env=False,
            timeout=60,
        ) as control:
            yield Shop(**ready, control=control)


@contextmanager
def running(
    argv: Sequence[str], *, output: IO[bytes] | None = None, **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A program of this checkout that is told to end with the block.

    What it says goes to `output`; without one, its standard output is a pipe to read from.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    stdout = output or subprocess.PIPE
    with subprocess.Popen(argv, stdout=stdout, stderr=output, env=environment, cwd=ROOT) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)

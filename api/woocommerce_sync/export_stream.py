"""An export as it goes over the wire: batches one ahead of the client, framed as their format says.

What fails after the first bytes breaks the connection off: the length of the answer is not known
before, so a clean end would pass for all there is.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Send

from db.export import ExportFormat, ExportReader

MEDIA_TYPES: Final[Mapping[ExportFormat, str]] = {
    ExportFormat.JSON: "application/json",
    ExportFormat.CSV: "text/csv; charset=utf-8; header=present",
    ExportFormat.NDJSON: "application/x-ndjson",
}


_ENDING: Final[set["asyncio.Task[bytes | None]"]] = set()


class ExportResponse(StreamingResponse):
    """A stream whose source is closed the moment the client is gone or something fails."""

    async def stream_response(self, send: Send) -> None:
        """Send it. What the source raises is passed on."""
        async with aclosing(self.body_iterator):  # type: ignore[type-var]
            await super().stream_response(send)


async def export_stream(reader: ExportReader, first: bytes | None) -> AsyncIterator[bytes]:
    """The file: `first` is the batch that was read already.

    The next batch is read while the client takes this one; one, so that memory stays flat.
    """
    wanted = reader.wanted.format
    if wanted is ExportFormat.CSV:
        yield reader.header()
    elif wanted is ExportFormat.JSON:
        yield b"["
    batch, is_first = first, True
    while batch is not None:
        upcoming = asyncio.create_task(reader.read())
        try:
            if batch:
                yield _framed(batch, wanted, is_first=is_first)
                is_first = False
            batch = await asyncio.shield(upcoming)
        finally:
            _end(upcoming)
    if wanted is ExportFormat.JSON:
        yield b"]"


def _end(reading: "asyncio.Task[bytes | None]") -> None:
    """Stop reading, if that goes on: cancelled once, and not waited for. A request that ends is
    cancelled at each of its waits, which would cut short how the driver tells the server.
    """
    _ENDING.add(reading)
    reading.cancel()
    reading.add_done_callback(_forget)


def _forget(reading: "asyncio.Task[bytes | None]") -> None:
    _ENDING.discard(reading)
    if not reading.cancelled():
        # Whoever waited for it was told of its failure; if nobody did, the client was gone.
        reading.exception()


_LINE_ENDS: Final[Mapping[bytes, bytes]] = {
    end.encode(): f"\\u{ord(end):04x}".encode() for end in "\x85\u2028\u2029"
}
"""What readers of Unicode take for a line end beside `\\n`, and how JSON spells it in a text."""


def _framed(batch: bytes, wanted: ExportFormat, *, is_first: bool) -> bytes:
    """Lines of JSON as elements of an array; a line end is never within one."""
    if wanted is ExportFormat.NDJSON:
        for end, spelled in _LINE_ENDS.items():
            batch = batch.replace(end, spelled)
    if wanted is not ExportFormat.JSON:
        return batch
    elements = batch.removesuffix(b"\n").replace(b"\n", b",\n")
    return elements if is_first else b",\n" + elements

"""A mail server and a web server of our own, which remember what they are told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """What the mail server took."""

    port: int = 0
    mails: list[str] = field(default_factory=list)
    refuses: bool = False
    takes_logins: bool = False


@asynccontextmanager
async def mail_server() -> AsyncIterator[Mailbox]:
    """SMTP (RFC 5321) as far as one plain delivery needs it."""
    box = Mailbox()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 test\r\n")
        while line := await reader.readline():
            verb = line[:4].upper().strip()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                lines = []
                while (text := await reader.readline()) != b".\r\n":
                    lines.append(text.decode())
                box.mails.append("".join(lines))
            if verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            is_refused = box.refuses and verb == b"MAIL"
            if verb == b"EHLO" and box.takes_logins:
                writer.write(b"250-ok\r\n250 AUTH PLAIN\r\n")
                continue
            writer.write(b"554 no\r\n" if is_refused else b"250 ok\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    box.port = server.sockets[0].getsockname()[1]
    async with server:
        yield box


@dataclass
class Posts:
    """What the web server was sent: headers (lower case) and body."""

    port: int = 0
    status: int = 204
    taken: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where to send."""
        return f"http://127.0.0.1:{self.port}/alerts"


@asynccontextmanager
async def web_server() -> AsyncIterator[Posts]:
    """HTTP/1.1 as far as one POST at a time needs it."""
    posts = Posts()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        headers: dict[str, str] = {}
        while (line := await reader.readline()).strip():
            name, _, value = line.decode().partition(":")
            headers[name.strip().lower()] = value.strip()
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        posts.taken.append((headers, body))
        head = f"HTTP/1.1 {posts.status} Test\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        writer.write(head.encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    posts.port = server.sockets[0].getsockname()[1]
    async with server:
        yield posts

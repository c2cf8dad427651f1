"""Sending one e-mail over a tenant's SMTP server."""

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from typing import Final

from domain.alert_channels import SmtpChannel
from domain.errors import StoreUnreachableError
from providers._kit.ssrf import resolve

TIMEOUT_S: Final = 10.0
"""The longest wait for one answer of the server."""

DEADLINE_S: Final = 2.5 * TIMEOUT_S
"""The longest a mail takes in all: less than the heartbeat timeout of the lane that sends it."""


class Mailer:
    """Sends mail; the address is checked as a store's is."""

    def __init__(self, *, allow_private_addresses: bool = False) -> None:
        self._allow_private = allow_private_addresses

    async def send(self, channel: SmtpChannel, message: EmailMessage) -> None:
        """Hand the message to the server.

        Raises:
            StoreUnreachableError: it was not taken; the text says why, without credentials.
            AddressRefusedError: the server's address is one we do not call.
        """
        try:
            addresses = await resolve(channel.host, channel.port, allow_private=self._allow_private)
        # A name that is none is a ValueError (IDNA, RFC 5891).
        except (OSError, ValueError):
            raise StoreUnreachableError(f"the mail server {channel.host} is not known") from None
        try:
            async with asyncio.timeout(DEADLINE_S):
                await asyncio.to_thread(_send, channel, addresses[0], message)
        except TimeoutError:
            raise StoreUnreachableError(f"{channel.host} did not answer in time") from None
        except smtplib.SMTPResponseException as error:
            raise StoreUnreachableError(
                f"{channel.host} refused the mail with code {error.smtp_code}"
            ) from None
        except smtplib.SMTPRecipientsRefused:
            raise StoreUnreachableError(f"{channel.host} refused every recipient") from None
        # smtplib writes user names and passwords in ASCII, and raises a ValueError for others.
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise StoreUnreachableError(
                f"the mail could not be handed to {channel.host} ({type(error).__name__})"
            ) from None


# Both connect to an address that was checked, and verify the certificate against the name.
class _Plain(smtplib.SMTP):
    def __init__(self, host: str, address: str, port: int) -> None:
        super().__init__(timeout=TIMEOUT_S)
        self._host = host
        self.connect(address, port)


class _Encrypted(smtplib.SMTP_SSL):
    def __init__(self, host: str, address: str, port: int) -> None:
        super().__init__(timeout=TIMEOUT_S, context=ssl.create_default_context())
        self._host = host
        self.connect(address, port)


def _send(channel: SmtpChannel, address: str, message: EmailMessage) -> None:
    kind = _Encrypted if channel.security == "tls" else _Plain
    with kind(channel.host, address, channel.port) as server:
        if channel.security == "starttls":
            server.starttls(context=ssl.create_default_context())
        if channel.username:
            server.login(channel.username, channel.password.get_secret_value())
        server.send_message(message)

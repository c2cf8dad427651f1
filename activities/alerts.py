"""Telling people of alerts: what the drain of a tenant's alert lane does."""

import hashlib
import hmac
import json
from datetime import datetime
from email.message import EmailMessage
from typing import Final

import structlog
from pydantic import TypeAdapter, ValidationError

from activities.lanes import Turn
from activities.mail import Mailer
from db.alert_channels import (
    DueMessage,
    channel_context,
    list_due_messages,
    record_sent,
    record_unsent,
)
from db.alerts import Alert, announce_alert, find_alert
from db.crypto import SecretBox
from db.session import Database
from domain.alert_channels import Channel, SmtpChannel, WebhookChannel
from domain.errors import EntrepotError, SecretError, StoreUnavailableError
from providers._kit.http import StoreSession
from providers._kit.protocols import Params

_BATCH: Final = 50
_CHANNEL: Final[TypeAdapter[Channel]] = TypeAdapter(Channel)

_log = structlog.get_logger(__name__)


class AlertTake:
    """Sends due messages. A failing channel is that message's trouble, never the lane's."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        session: StoreSession,
        mailer: Mailer,
        *,
        public_url: str | None,
    ) -> None:
        self._database = database
        self._box = box
        self._session = session
        self._mailer = mailer
        self._public_url = (public_url or "").rstrip("/")

    async def __call__(self, turn: Turn) -> int:
        """Send what is due. How many messages were settled or put off."""
        async with self._database.tenant(turn.lane.tenant_id) as connection:
            due = await list_due_messages(connection, now=turn.now, limit=_BATCH)
        for message in due:
            await self._handle(turn, message)
        return len(due)

    async def _handle(self, turn: Turn, message: DueMessage) -> None:
        async with self._database.tenant(turn.lane.tenant_id) as connection:
            await turn.confirm(connection)
            alert = await find_alert(connection, message.alert_id)
            if alert is None:
                raise LookupError(f"message {message.id} has no alert")
            if message.sealed is None or message.channel_id is None:
                await record_sent(connection, message.id)
                await announce_alert(connection, turn.lane.tenant_id, message.alert_id)
                return
        error = await self._send(alert, message, turn.now)
        async with self._database.tenant(turn.lane.tenant_id) as connection:
            await turn.confirm(connection)
            if error is None:
                await record_sent(connection, message.id)
                return
            again = turn.next_attempt(message.attempts + 1)
            await record_unsent(connection, message.id, error=error, next_attempt_at=again)
            _log.warning("alert_not_told", alert_id=alert.id, channel=message.channel_id)

    async def _send(self, alert: Alert, message: DueMessage, now: datetime) -> str | None:
        """Why it could not be sent; None when it was."""
        try:
            channel = self._open(message)
            await self.send(channel, alert, now)
        except EntrepotError as error:
            return str(error)
        return None

    def _open(self, message: DueMessage) -> Channel:
        if message.sealed is None or message.channel_id is None:
            raise SecretError("the message has no channel")
        plain = self._box.open(message.sealed, context=channel_context(message.channel_id))
        try:
            return _CHANNEL.validate_json(plain)
        except ValidationError:
            raise SecretError(
                "the channel's settings are not understood: enter them again"
            ) from None

    async def send(self, channel: Channel, alert: Alert, now: datetime) -> None:
        """Send one alert through one channel. Raises EntrepotError when it does not arrive."""
        if isinstance(channel, SmtpChannel):
            await self._mailer.send(channel, _mail(channel, alert, self._link(alert)))
        else:
            await self._post(channel, alert, now)

    async def _post(self, channel: WebhookChannel, alert: Alert, now: datetime) -> None:
        body = json.dumps(
            {
                "event": alert.event,
                "alertId": alert.id,
                "storeId": alert.store_id,
                "kind": alert.kind,
                "title": alert.title,
                "message": alert.message,
                "link": self._link(alert),
                "command": alert.command,
                "details": dict(alert.details),
                "createdAt": alert.created_at.isoformat(),
            }
        ).encode()
        headers = sign_alert(channel.secret.get_secret_value(), body, now)

        def auth(_method: str, _url: str, params: Params) -> tuple[Params, dict[str, str]]:
            return params, headers

        answer = await self._session.request("POST", channel.url, auth=auth, content=body)
        if not 200 <= answer.status < 300:
            raise StoreUnavailableError(f"the alert webhook answered {answer.status}")

    def _link(self, alert: Alert) -> str:
        return f"{self._public_url}/api/alerts/{alert.id}"


def sign_alert(secret: str, body: bytes, now: datetime) -> dict[str, str]:
    """The headers that prove who sent an alert: HMAC-SHA256 over `{timestamp}.{body}`."""
    stamp = str(int(now.timestamp()))
    digest = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"x-entrepot-timestamp": stamp, "x-entrepot-signature": f"sha256={digest}"}


def _mail(channel: SmtpChannel, alert: Alert, link: str) -> EmailMessage:
    mail = EmailMessage()
    mail["From"] = channel.sender
    mail["To"] = ", ".join(channel.recipients)
    mail["Subject"] = " ".join(f"[entrepot] {alert.title}".split())
    mail["Message-ID"] = f"<alert-{alert.id}@entrepot.invalid>"
    lines = [alert.message, "", f"Details: {link}"]
    if alert.command:
        lines += ["", "To try again:", f"  {alert.command}"]
    mail.set_content("\n".join(lines))
    return mail

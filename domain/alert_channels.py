"""How a tenant wants to be told of alerts: by a webhook of its own, or by e-mail."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from domain.documents import Document

_Address = Annotated[str, Field(pattern=r"^[^\s@<>,;]+@[^\s@<>,;]+$", max_length=254)]


class WebhookChannel(Document):
    """Alerts are posted to `url`, signed with `secret`."""

    kind: Literal["webhook"] = "webhook"
    url: Annotated[str, Field(pattern=r"^https?://", max_length=2_000)]
    secret: Annotated[SecretStr, Field(min_length=16, max_length=200)]


class SmtpChannel(Document):
    """Alerts are mailed over an SMTP server (RFC 5321); `starttls` is RFC 3207, `tls` RFC 8314."""

    kind: Literal["smtp"] = "smtp"
    host: Annotated[str, Field(min_length=1, max_length=253)]
    port: Annotated[int, Field(ge=1, le=65_535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: Annotated[str, Field(max_length=254)] = ""
    password: Annotated[SecretStr, Field(max_length=200)] = SecretStr("")
    sender: _Address
    recipients: Annotated[tuple[_Address, ...], Field(min_length=1, max_length=20)]


Channel = Annotated[WebhookChannel | SmtpChannel, Field(discriminator="kind")]

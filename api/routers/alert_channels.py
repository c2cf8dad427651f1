"""`/api/alert-channels`: how a tenant wants to be told of alerts."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter, Depends
from pydantic import TypeAdapter, ValidationError

from api.auth import SyncsReader, SyncsWriter
from api.params import require_json
from api.problems import INVALID, FieldProblem, ProblemError
from api.schemas.alerts import ChannelAnswer, ChannelBody, ChannelListAnswer, ChannelsBody
from api.services import ApiServices, Services
from db.alert_channels import (
    StoredChannel,
    allocate_channel_id,
    channel_context,
    list_channels,
    replace_channels,
)
from db.audit import record_audit
from domain.alert_channels import Channel
from domain.errors import AddressRefusedError
from providers._kit.ssrf import check_url

router = APIRouter(prefix="/api/alert-channels", tags=["alerts"])

_CHANNEL: Final[TypeAdapter[Channel]] = TypeAdapter(Channel)
_DOCUMENT: Final[TypeAdapter[dict[str, Any]]] = TypeAdapter(dict[str, Any])
_SECRETS: Final = ("secret", "password")
_HIDDEN: Final = "********"
_SERVER: Final = ("host", "port", "security")
"""What a password is for: it is shown to no other server than it was entered for."""


@router.get("", summary="List alert channels")
async def list_(principal: SyncsReader, services: Services) -> ChannelListAnswer:
    """The channels, without their secrets."""
    async with services.database.tenant(principal.tenant_id) as connection:
        stored = await list_channels(connection)
    return ChannelListAnswer(data=[_view(services, one) for one in stored])


@router.put("", dependencies=[Depends(require_json)], summary="Set the alert channels")
async def replace(
    body: ChannelsBody, principal: SyncsWriter, services: Services
) -> ChannelListAnswer:
    """Make these the channels. What is left out of a known one's secrets stays."""
    async with services.database.tenant(principal.tenant_id) as connection:
        held = {one.id: one for one in await list_channels(connection)}
        checked = [_checked(services, held, body.channels, at) for at in range(len(body.channels))]
        _refuse_twice(body.channels)
        stored = []
        for sent, channel in zip(body.channels, checked, strict=True):
            channel_id = sent.id or await allocate_channel_id(connection)
            sealed = services.secrets.seal(_plain(channel), context=channel_context(channel_id))
            stored.append(
                StoredChannel(channel_id, channel.kind, sent.name, sent.is_active, sealed)
            )
        await replace_channels(connection, principal.tenant_id, stored)
        await record_audit(
            connection,
            principal.tenant_id,
            principal.actor,
            "alert_channels.updated",
            names=[one.name for one in stored],
        )
    return ChannelListAnswer(data=[_view(services, one) for one in stored])


def _checked(
    services: ApiServices,
    held: Mapping[int, StoredChannel],
    channels: Sequence[ChannelBody],
    position: int,
) -> Channel:
    """One channel, understood. Raises ProblemError (422)."""
    sent, place = channels[position], f"/channels/{position}"
    config = dict(sent.config)
    if sent.id is not None:
        if sent.id not in held:
            raise _invalid(f"{place}/id", f"There is no channel {sent.id}.")
        known = _settings(services, held[sent.id])
        _refuse_moved_password(config, known, f"{place}/config/password")
        for name in _SECRETS:
            if config.get(name) in (None, _HIDDEN) and known.get("kind") == config.get("kind"):
                config.pop(name, None)
                config |= {name: known[name]} if name in known else {}
    try:
        channel = _CHANNEL.validate_python(config)
        if channel.kind == "webhook":
            check_url(channel.url)
    except ValidationError as error:
        raise ProblemError(
            INVALID,
            "A channel cannot be used as it is.",
            errors=[
                FieldProblem(
                    pointer="/".join([place, "config", *map(str, one["loc"][1:])]),
                    detail=one["msg"],
                )
                for one in error.errors(include_input=False, include_url=False)
            ],
        ) from None
    except AddressRefusedError as error:
        raise _invalid(f"{place}/config/url", str(error)) from None
    return channel


def _refuse_moved_password(
    config: Mapping[str, Any], known: Mapping[str, Any], pointer: str
) -> None:
    """Raises ProblemError (422) for a kept password with another server."""
    is_kept = config.get("password") in (None, _HIDDEN) and bool(known.get("password"))
    is_moved = any(name in config and config[name] != known.get(name) for name in _SERVER)
    if is_kept and is_moved and config.get("kind") == known.get("kind"):
        raise _invalid(pointer, "Another server needs the password entered again.")


def _refuse_twice(channels: Sequence[ChannelBody]) -> None:
    named = [one.id for one in channels if one.id is not None]
    if len(named) != len(set(named)):
        raise _invalid("/channels", "A channel is named twice.")


def _invalid(pointer: str, detail: str) -> ProblemError:
    return ProblemError(INVALID, detail, errors=[FieldProblem(pointer=pointer, detail=detail)])


def _plain(channel: Channel) -> bytes:
    """With its secrets: to be sealed at once."""
    revealed = {
        name: secret.get_secret_value()
        for name in _SECRETS
        if (secret := getattr(channel, name, None)) is not None
    }
    shown = channel.model_dump(mode="json", by_alias=True)
    return _DOCUMENT.dump_json(shown | revealed)


def _settings(services: ApiServices, stored: StoredChannel) -> dict[str, Any]:
    plain = services.secrets.open(stored.sealed, context=channel_context(stored.id))
    return _DOCUMENT.validate_json(plain)


def _view(services: ApiServices, stored: StoredChannel) -> ChannelAnswer:
    settings = _settings(services, stored)
    hidden = {name: _HIDDEN for name in _SECRETS if settings.get(name)}
    return ChannelAnswer(
        id=stored.id, name=stored.name, is_active=stored.is_active, config=settings | hidden
    )

"""Connecting a store by a link: the merchant consents in the shop, whose page brings us the key.

The shop's page is a browser's, so its request proves nothing but that it knows the one-time token
in its address. The key is tried like any other before anything is kept.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from api import problems
from api.auth import Principal
from api.connecting import Connected, connect_store, first_import, new_webhook_code
from api.connection_form import check_part
from api.problems import ProblemError
from api.schemas.connect import StartConnectBody
from api.schemas.stores import CreateStoreBody
from api.services import ApiServices, now
from api.webhook_urls import webhook_urls
from db.audit import Actor, record_audit
from db.connect_tokens import (
    KnownToken,
    NewToken,
    claim_token,
    create_token,
    find_token,
    release_token,
    settle_token,
    token_context,
)
from db.stores import Store, is_code_taken
from domain.errors import InvalidRecordError, NotFoundError
from providers._kit.install_links import InstallRequest, InstallsByLink
from providers._kit.protocols import Provider

LIFETIME: Final = timedelta(hours=1)
_TOKEN_BYTES: Final = 32
_APP_NAME: Final = "Entrepot"
_APP_DESCRIPTION: Final = "Keeps products, stock and orders in step"
_KEPT: Final = frozenset(("name", "code", "config", "settings", "sync_directions", "sync"))


@dataclass(frozen=True, slots=True)
class Started:
    """An installation that waits for the shop."""

    install_url: str = field(repr=False)
    expires_at: datetime
    unreachable_reason: str | None


@dataclass(frozen=True, slots=True)
class Callback:
    """A callback whose token is known: whose it is, and where it may come from."""

    token: str = field(repr=False)
    known: KnownToken
    provider: InstallsByLink


async def start(
    services: ApiServices,
    principal: Principal,
    slug: str,
    body: StartConnectBody,
    *,
    own_url: str,
) -> Started:
    """Keep what the merchant filled in, and make the link.

    Raises:
        ProblemError: no such provider or none that has links, the form is wrong, the code is taken.
    """
    provider, linked = _linked(services, slug)
    check_part(provider, body.config)
    tenant_id = principal.tenant_id
    token, webhook_code = secrets.token_urlsafe(_TOKEN_BYTES), new_webhook_code()
    filled_in = body.model_dump(include=set(_KEPT), mode="json", exclude_unset=True)
    form = {**filled_in, "webhook_code": webhook_code}
    sealed = services.secrets.seal(json.dumps(form).encode(), context=token_context(token))
    expires_at = now() + LIFETIME
    async with services.database.tenant(tenant_id) as connection:
        if await is_code_taken(connection, body.code):
            detail = f"There is a store with the code {body.code!r} already: choose another."
            raise ProblemError(problems.CONFLICT, detail)
        await create_token(connection, tenant_id, NewToken(slug, token, sealed, expires_at))
        await record_audit(
            connection,
            tenant_id,
            principal.actor,
            "install_link.created",
            code=body.code,
            provider=slug,
        )
    urls = webhook_urls(services.config, webhook_code, own_url=own_url)
    base = (services.config.public_url or own_url).rstrip("/")
    link = linked.install_url(
        InstallRequest(
            app_name=_APP_NAME,
            app_description=_APP_DESCRIPTION,
            callback_url=f"{base}/api/stores/connect/{token}",
            new_order_url=urls.new_order,
            order_status_url=urls.order_status,
            redirect_url=body.redirect_url or "",
        )
    )
    return Started(link, expires_at, urls.unreachable_reason)


async def recognise(services: ApiServices, token: str) -> Callback:
    """Whose callback it is. Raises ProblemError (404): no such token, or it is too late."""
    async with services.database.lookup() as connection:
        known = await find_token(connection, token)
    if known is None or known.expires_at <= now():
        raise _too_late()
    try:
        _, linked = _linked(services, known.provider)
    except ProblemError:
        raise _too_late() from None
    return Callback(token, known, linked)


async def finish(services: ApiServices, callback: Callback, body: bytes, *, actor: Actor) -> Store:
    """Try the key that was brought, and keep the store if it is right. `actor` is who brought it.

    Raises:
        ProblemError: the token is used up or at work, there is no key, or the store says no.
        ConflictError: the code was taken meanwhile.
    """
    tenant_id, token = callback.known.tenant_id, callback.token
    try:
        brought = callback.provider.read_callback(body)
    except InvalidRecordError as error:
        raise ProblemError(problems.INVALID, str(error)) from None
    async with services.database.tenant(tenant_id) as connection:
        sealed = await claim_token(connection, token, now=now())
    if sealed is None:
        raise _too_late()
    form = json.loads(services.secrets.open(sealed, context=token_context(token)))
    try:
        made = await _connect(services, callback.known, form, brought, actor)
    except BaseException:
        async with services.database.tenant(tenant_id) as connection:
            await release_token(connection, token)
        raise
    async with services.database.tenant(tenant_id) as connection:
        await settle_token(connection, token, made.store.id)
    if form.get("sync"):
        await first_import(services, tenant_id, made, actor=actor)
    return made.store


async def _connect(
    services: ApiServices,
    known: KnownToken,
    form: Mapping[str, Any],
    brought: Mapping[str, Any],
    actor: Actor,
) -> Connected:
    body = CreateStoreBody.model_validate(
        {
            **{name: form[name] for name in _KEPT & form.keys()},
            "config": {**form["config"], **brought},
            "provider": known.provider,
        }
    )
    return await connect_store(
        services, known.tenant_id, body, actor=actor, webhook_code=form["webhook_code"]
    )


def _linked(services: ApiServices, slug: str) -> tuple[Provider, InstallsByLink]:
    try:
        provider = services.registry.get(slug)
    except NotFoundError:
        raise problems.not_found(f"provider {slug[:60]!r}", "/api/providers") from None
    if not isinstance(provider, InstallsByLink):
        raise ProblemError(
            problems.NOT_FOUND,
            f"{provider.manifest.title} has no install link: connect it with POST /api/stores.",
        )
    return provider, provider


def _too_late() -> ProblemError:
    return ProblemError(
        problems.NOT_FOUND,
        "This link was used, is being used, or is too old: start the connection again.",
    )

"""Finding out how a shop is reached, and that its keys can read it.

In this order, each step with what the one before found:

1. The REST index, without keys: is this WordPress with WooCommerce, what is its home URL (OAuth
   signs that), its name, its time zone; `/wp-json/`, or `?rest_route=` over https.
2. The keys, on a cheap route. Over http OAuth 1.0a is the only way that works. Over https Basic
   comes first. A host that keeps back the `Authorization` header makes the shop answer as if no
   keys had been sent ("Consumer key is missing.", or `cannot_view`); only then come an OAuth
   signature, which survives that host and shows no secret, and last the keys in the query.
3. Currency, decimals and version, and whether the flat route `/variations` is there.
"""

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from domain.errors import (
    CredentialsError,
    PermissionDeniedError,
    RouteMissingError,
    StoreError,
    StoreUnavailableError,
)
from providers._kit.answers import Answer, error_text, read_json, status_error
from providers._kit.protocols import HttpSession, StoreFacts
from providers.woocommerce.access import NAMESPACE, ApiForm, ShopAccess, ShopDetails, make_signer
from providers.woocommerce.auth import AuthMethod
from providers.woocommerce.config import WooCommerceConfig

_INDEX_FIELDS: Final = "name,home,url,namespaces,timezone_string,gmt_offset"
_STATUS_FIELDS: Final = (
    "environment.home_url,environment.version,settings.currency,settings.number_of_decimals"
)
# What the shop answers when it saw no keys; wrong keys over Basic get the first one too.
_UNSEEN_CODE: Final = "woocommerce_rest_cannot_view"
_UNSEEN_MESSAGE: Final = "consumer key is missing"
# The code is the same for all, so the (translated) message has to do; English is what we know.
_REFUSED: Final = re.compile(r"(?:key|secret) is invalid|have \w+ permissions", re.IGNORECASE)
_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_READ_ROUTES: Final = ("products/categories", "customers", "orders")


@dataclass(frozen=True, slots=True)
class _Index:
    """The REST index; empty where the shop shows it to nobody."""

    api: ApiForm
    body: Mapping[str, Any]

    def text(self, name: str) -> str:
        value = self.body.get(name)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class _WayIn:
    method: AuthMethod
    signing_url: str


async def probe_shop(config: WooCommerceConfig, session: HttpSession) -> StoreFacts:
    """What there is to know of a shop before reading it.

    Raises:
        CredentialsError: no way to send the keys is accepted.
        PermissionDeniedError: the keys are right but may not read.
        RouteMissingError: no WooCommerce there, or not at this address.
        StoreError: unreachable, unavailable, refused.
    """
    index = await _read_index(config, session)
    nobody = ShopAccess(session, config.store_url, index.api, None)
    way = await _find_way_in(config, nobody, index)
    sign = make_signer(way.method, config, signing_url=way.signing_url)
    access = replace(nobody, sign=sign)
    settings, flat, _ = await asyncio.gather(
        _read_settings(access), _has_flat_variations(access), _prove_reading(access)
    )
    home = settings.home_url or index.text("home") or config.store_url
    details = ShopDetails(
        api=index.api,
        auth=way.method,
        home_url=home,
        signing_url=way.signing_url,
        flat_variations=flat,
        decimals=settings.decimals,
    )
    return StoreFacts(
        store_name=index.text("name")[:200],
        store_url=config.store_url,
        version=settings.version,
        currency=settings.currency,
        timezone=_time_zone(index),
        details=details.model_dump(mode="json"),
    )


async def _read_index(config: WooCommerceConfig, session: HttpSession) -> _Index:
    """The index in the first form that answers with JSON."""
    forms = [ApiForm.PATH]
    if config.store_url.startswith("https://"):
        # Over http, OAuth on ?rest_route= is answered with 401 (measured).
        forms.append(ApiForm.QUERY)
    failure: StoreError | None = None
    for form in forms:
        access = ShopAccess(session, config.store_url, form, None)
        answer = await access.ask("", (("_fields", _INDEX_FIELDS),))
        try:
            return _index_of(form, answer, asked=f"GET {config.store_url}/wp-json/")
        except RouteMissingError as error:
            failure = error
    raise RouteMissingError(
        f"There is no WordPress REST API at {config.store_url}. Is this the shop's home address?"
        " Over http it needs pretty permalinks (Settings, Permalinks, anything but Plain).",
        status=404,
    ) from failure


def _index_of(form: ApiForm, answer: Answer, *, asked: str) -> _Index:
    error = status_error(answer, asked=asked)
    if isinstance(error, (CredentialsError, PermissionDeniedError)) and not answer.is_html:
        # Security plug-ins hide the index from strangers; the keys may still open the shop.
        return _Index(form, {})
    if error is not None:
        raise error
    try:
        body = read_json(answer, asked=asked)
    except StoreUnavailableError:
        # With plain permalinks /wp-json/ shows the shop's front page.
        raise RouteMissingError(f"{asked}: a web page, not an API.", status=404) from None
    if not isinstance(body, dict):
        raise RouteMissingError(f"{asked}: not the index of a REST API.", status=404)
    namespaces = body.get("namespaces")
    if isinstance(namespaces, list) and NAMESPACE not in namespaces:
        raise RouteMissingError(
            f"{asked}: this is WordPress without WooCommerce's REST API (wc/v3).", status=404
        )
    return _Index(form, body)


async def _find_way_in(config: WooCommerceConfig, nobody: ShopAccess, index: _Index) -> _WayIn:
    """The first way of sending the keys that the shop accepts."""
    told: CredentialsError | None = None
    is_unseen = False
    for way in _ways_in(config, index.text("home") or config.store_url):
        if way.method is AuthMethod.QUERY and not is_unseen:
            continue
        sign = make_signer(way.method, config, signing_url=way.signing_url)
        route = f"{NAMESPACE}/products"
        answer = await replace(nobody, sign=sign).ask(route, (("per_page", "1"), ("_fields", "id")))
        error = status_error(answer, asked=nobody.describe("products"))
        if error is None:
            return way
        if not isinstance(error, CredentialsError):
            raise error
        code, message = error_text(answer)
        told = told or error
        if _REFUSED.search(message):
            told = error
            break
        if way.method is AuthMethod.BASIC:
            is_unseen = code == _UNSEEN_CODE or _UNSEEN_MESSAGE in message.lower()
    raise CredentialsError(
        "The shop does not accept the consumer key and secret. Check that both are copied whole,"
        f" and that the key still exists and may read. {told}",
        status=401,
    )


def _ways_in(config: WooCommerceConfig, home: str) -> Iterator[_WayIn]:
    """The ways to send the keys, the best first. OAuth is tried for each home the shop may have:

    the one it names, the address that was typed, and (behind a proxy that ends TLS, where a shop
    may not know that it is reached over https) its own with the other scheme.
    """
    _, _, rest = home.partition("://")
    homes = [f"https://{rest}", config.store_url, f"http://{rest}"]
    if config.store_url.startswith("https://"):
        yield _WayIn(AuthMethod.BASIC, "")
    else:
        homes = [f"http://{rest}", config.store_url]
    for signing_url in dict.fromkeys(url.rstrip("/") for url in homes):
        yield _WayIn(AuthMethod.OAUTH, signing_url)
    if config.store_url.startswith("https://"):
        yield _WayIn(AuthMethod.QUERY, "")


@dataclass(frozen=True, slots=True)
class _Settings:
    currency: str
    decimals: int = 2
    version: str = ""
    home_url: str = ""


async def _read_settings(access: ShopAccess) -> _Settings:
    """Currency, decimals and version; the currency alone where the status is not to be had."""
    try:
        status = await _read_object(access, "system_status", (("_fields", _STATUS_FIELDS),))
        shop, environment = _object(status, "settings"), _object(status, "environment")
        decimals = shop.get("number_of_decimals")
        return _Settings(
            currency=_currency(shop.get("currency")),
            decimals=decimals if isinstance(decimals, int) and 0 <= decimals <= 8 else 2,
            version=str(environment.get("version") or "")[:40],
            home_url=str(environment.get("home_url") or "")[:2_000],
        )
    except StoreError:
        # Its own fault, or one of rights: the status is for administrators.
        current = await _read_object(access, "data/currencies/current", ())
        return _Settings(currency=_currency(current.get("code")))


async def _read_object(
    access: ShopAccess, route: str, params: tuple[tuple[str, str], ...]
) -> Mapping[str, Any]:
    answer = await access.get(route, params)
    body = read_json(answer, asked=access.describe(route))
    return body if isinstance(body, dict) else {}


def _currency(code: Any) -> str:
    if not isinstance(code, str) or not _CURRENCY.fullmatch(code):
        raise StoreUnavailableError("The shop does not say which currency its prices are in.")
    return code


def _object(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    return value if isinstance(value, dict) else {}


async def _has_flat_variations(access: ShopAccess) -> bool:
    """Whether there is a flat `/variations` (since WooCommerce 10.3.0)."""
    answer = await access.ask(f"{NAMESPACE}/variations", (("per_page", "1"), ("_fields", "id")))
    return answer.status == 200 and answer.body.lstrip()[:1] == b"["


async def _prove_reading(access: ShopAccess) -> None:
    for route in _READ_ROUTES:
        answer = await access.ask(f"{NAMESPACE}/{route}", (("per_page", "1"), ("_fields", "id")))
        error = status_error(answer, asked=access.describe(route))
        if isinstance(error, (CredentialsError, PermissionDeniedError)):
            raise PermissionDeniedError(
                f"The keys are accepted but may not read {route}. Make them for a user who is"
                f" administrator or shop manager. {error}",
                status=error.status,
            )
        if error is not None:
            raise error


def _time_zone(index: _Index) -> str:
    """The shop's time zone by name, or as an offset such as `+05:30`."""
    name = index.text("timezone_string")
    if name:
        return name[:60]
    try:
        minutes = round(float(index.body.get("gmt_offset") or 0) * 60)
    except (TypeError, ValueError):
        return ""
    hours, minutes_left = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{minutes_left:02}"

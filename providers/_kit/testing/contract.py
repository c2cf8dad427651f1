"""What every provider must hold, whatever it speaks: run for each one that is found.

The network is faked below the provider's client, so its own reading of answers, signing and
paging run. Each check raises `AssertionError` that says what to change.
"""

import asyncio
import re
import string
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
from pydantic import SecretStr

from domain.entities import Entity
from domain.errors import (
    CredentialsError,
    PermissionDeniedError,
    RateLimitedError,
    RequestRejectedError,
    RouteMissingError,
    StoreError,
    StoreUnavailableError,
    StoreUnreachableError,
)
from domain.sync_settings import PUSHED, Direction
from providers._kit.protocols import (
    Manifest,
    Provider,
    ReadsChanges,
    ReadsPages,
    StoreClient,
    WritesRecords,
    WritesStock,
)
from providers._kit.testing.examples import connected, example_config, example_secrets

_CREDENTIAL: Final = re.compile(r"key|secret|token|password|credential", re.IGNORECASE)
_PLACEHOLDERS: Final = frozenset(
    ("new_order_url", "order_status_url", "generic_url", "webhook_secret")
)
MOST_REQUESTS: Final = 3
QUERY: Final = re.compile(r"\?\w+=")
_HTML: Final = "<!DOCTYPE html><html><body>Just a moment</body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """One way for a store to fail, and the error it has to become."""

    name: str
    answer: Callable[[httpx.Request], httpx.Response]
    error: type[StoreError]
    retry_after_s: float | None = None


def _status(status: int, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _: httpx.Response(status, json={"message": "no"}, headers=named)


def _content(body: bytes) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _: httpx.Response(200, content=body, headers={"content-type": "application/json"})


def _raising(error: Exception) -> Callable[[httpx.Request], httpx.Response]:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return answer


FAULTS: Final = (
    Fault("400", _status(400), RequestRejectedError),
    Fault("401", _status(401), CredentialsError),
    Fault("403", _status(403), PermissionDeniedError),
    Fault("403-html", lambda _: httpx.Response(403, html=_HTML), StoreUnavailableError),
    Fault("404", _status(404), RouteMissingError),
    Fault("409", _status(409), RequestRejectedError),
    Fault("422", _status(422), RequestRejectedError),
    Fault("429", _status(429, retry_after="7"), RateLimitedError, 7.0),
    Fault("429-a-day", _status(429, retry_after="86400"), RateLimitedError, 86400.0),
    Fault("429-negative", _status(429, retry_after="-1"), RateLimitedError, 0.0),
    Fault("429-garbage", _status(429, retry_after="soon"), RateLimitedError),
    Fault("500", _status(500), StoreUnavailableError),
    Fault("502", _status(502), StoreUnavailableError),
    Fault("503", _status(503, retry_after="600"), StoreUnavailableError, 600.0),
    Fault("html", lambda _: httpx.Response(200, html=_HTML), StoreUnavailableError),
    Fault("truncated", _content(b'[{"id": 1, "na'), StoreUnreachableError),
    Fault("empty", _content(b""), StoreUnreachableError),
    Fault("timeout", _raising(httpx.ReadTimeout("")), StoreUnreachableError),
    Fault("dropped", _raising(httpx.RemoteProtocolError("")), StoreUnreachableError),
    Fault("refused", _raising(httpx.ConnectError("")), StoreUnreachableError),
)


def check_manifest(provider: Provider, *, slug: str) -> None:
    """The manifest is whole and agrees with its folder."""
    manifest = provider.manifest
    assert manifest.slug == slug, f"Set the manifest's slug to the folder's name, {slug!r}."
    assert re.fullmatch(r"[a-z][a-z0-9_]*", slug), "A slug is lower case letters, digits and _."
    assert manifest.title, "Give the manifest a title."
    assert manifest.entities, "Say in `entities` what can be pulled."
    assert manifest.tracks_changes <= set(manifest.entities), (
        "`tracks_changes` may only name what `entities` names."
    )
    assert manifest.page_size > 0, "Say in `page_size` how many rows a page holds."
    _check_writing(manifest)
    found = {name for _, name, _, _ in string.Formatter().parse(manifest.instructions) if name}
    assert found <= _PLACEHOLDERS, f"The instructions name unknown {found - _PLACEHOLDERS}."


def _check_writing(manifest: Manifest) -> None:
    for entity in PUSHED:
        most, usual = manifest.supports.of(entity), manifest.directions.of(entity)
        assert most is Direction.BOTH or usual in (most, Direction.OFF), (
            f"`directions` syncs {entity} beyond what `supports` says."
        )
        assert not most.pushes or manifest.push_sizes.get(entity, 0) > 0, (
            f"Say in `push_sizes` how many {entity} one call takes."
        )
    pace = manifest.requests_per_minute
    assert pace is None or pace > 0, "`requests_per_minute` is a number above 0, or None."


def check_form(provider: Provider) -> None:
    """Credentials are secret, and the form can be drawn."""
    model = provider.config_model
    for name, form_field in model.model_fields.items():
        if _CREDENTIAL.search(name):
            assert form_field.annotation in (SecretStr, SecretStr | None), (
                f"Make {name!r} of the connection form a SecretStr."
            )
    assert "storeUrl" in model.model_json_schema()["properties"], "The form needs `storeUrl`."
    shown = repr(example_config(provider)) + example_config(provider).model_dump_json()
    assert not any(secret in shown for secret in example_secrets(provider)), (
        "The form shows a secret in repr or JSON."
    )


def check_client(provider: Provider) -> None:
    """The client has the capabilities that the manifest claims, and asks nothing to be made."""
    client, asked = connected(provider, lambda _: httpx.Response(500))
    assert isinstance(client, ReadsPages), "The client must read pages (`ReadsPages`)."
    assert isinstance(client, ReadsChanges) or not provider.manifest.tracks_changes, (
        "`tracks_changes` needs a client with `fetch_changes` (`ReadsChanges`)."
    )
    supports = provider.manifest.supports
    assert isinstance(client, WritesRecords) or not any(
        supports.of(entity).pushes for entity in PUSHED if entity is not Entity.INVENTORY
    ), "What `supports` pushes needs a client with `push` and `find` (`WritesRecords`)."
    assert isinstance(client, WritesStock) or not supports.inventory.pushes, (
        "`supports.inventory` needs a client with `push_stock` (`WritesStock`)."
    )
    assert asked == [], "`connect` must open nothing."


async def check_fault(provider: Provider, fault: Fault) -> None:
    """A failing store becomes the right error: at once, with no secret in it."""
    secrets = example_secrets(provider)
    for name, call in _calls(provider):
        client, asked = connected(provider, fault.answer)
        where = f"{name}, store answers {fault.name}"
        error = await failure(call, client, where)
        assert type(error) is fault.error, (
            f"{where}: raise {fault.error.__name__} instead of {error!r}."
        )
        assert error.retry_after_s == fault.retry_after_s, (
            f"{where}: carry Retry-After ({fault.retry_after_s}) as it is."
        )
        assert error.status == 429 or not isinstance(error, RateLimitedError), (
            f"{where}: carry the status; without it the hub takes its own budget for spent."
        )
        assert len(asked) <= MOST_REQUESTS, f"{where}: leave retries to the caller."
        told = f"{error!r} {error}"
        assert not any(secret in told for secret in secrets), f"{where}: a secret is told."
        assert not QUERY.search(str(error)), f"{where}: a query string is told."


async def outcome(
    call: Callable[[StoreClient], Awaitable[Any]], client: StoreClient, where: str
) -> Any:
    """What a call gives, or the `StoreError` it ends with. Raises AssertionError if it sleeps."""
    try:
        async with asyncio.timeout(0.5):
            return await call(client)
    except StoreError as error:
        return error
    except TimeoutError:
        raise AssertionError(f"{where}: a client never sleeps; raise and let it wait.") from None


async def failure(
    call: Callable[[StoreClient], Awaitable[Any]], client: StoreClient, where: str
) -> StoreError:
    """The error a call ends with. Raises AssertionError if it ends well."""
    found = await outcome(call, client, where)
    assert isinstance(found, StoreError), f"{where}: nothing was raised."
    return found


def _calls(provider: Provider) -> Iterator[tuple[str, Callable[[StoreClient], Any]]]:
    def listing(entity: Entity) -> Callable[[StoreClient], Any]:
        return lambda client: client.fetch_listing(entity)

    def page(entity: Entity) -> Callable[[StoreClient], Any]:
        return lambda client: client.fetch_page(entity, 1)

    def ids(entity: Entity) -> Callable[[StoreClient], Any]:
        return lambda client: client.fetch_ids(entity, 1)

    def named(entity: Entity) -> Callable[[StoreClient], Any]:
        return lambda client: client.fetch_by_ids(entity, ["1"])

    for entity in provider.manifest.entities:
        yield f"fetch_listing({entity})", listing(entity)
        yield f"fetch_page({entity})", page(entity)
        yield f"fetch_ids({entity})", ids(entity)
        yield f"fetch_by_ids({entity})", named(entity)

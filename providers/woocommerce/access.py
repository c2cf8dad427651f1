"""How one shop's REST API is reached: its address form, its proof of identity, its answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import orjson
from pydantic import BaseModel, ConfigDict

from domain.errors import (
    CredentialsError,
    PermissionDeniedError,
    RouteMissingError,
    StoreUnavailableError,
)
from providers._kit.answers import Answer, error_text, read_json, status_error
from providers._kit.protocols import HttpSession, Params, SignRequest, StoreFacts
from providers.woocommerce.auth import AuthMethod, Keys, basic_auth, oauth_auth, query_auth
from providers.woocommerce.config import WooCommerceConfig

NAMESPACE: Final = "wc/v3"


class ApiForm(StrEnum):
    """How the API's routes are addressed; without pretty permalinks only by `?rest_route=`."""

    PATH = "wp-json"
    QUERY = "rest_route"


class ShopDetails(BaseModel):
    """What a probe learns that later calls need; kept as `StoreFacts.details`."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    api: ApiForm = ApiForm.PATH
    auth: AuthMethod = AuthMethod.BASIC
    home_url: str = ""
    signing_url: str = ""
    flat_variations: bool = False
    decimals: int = 2


@dataclass(frozen=True, slots=True)
class ShopAccess:
    """Asks one shop."""

    session: HttpSession
    store_url: str
    api: ApiForm
    sign: SignRequest | None

    async def ask(
        self, route: str, params: Params = (), *, method: str = "GET", content: bytes | None = None
    ) -> Answer:
        """Ask a route of the REST API (`wc/v3/orders`), whatever the answer's status.

        Raises:
            StoreError: no answer.
        """
        if self.api is ApiForm.QUERY:
            url = f"{self.store_url}/"
            params = (("rest_route", f"/{route}"), *params)
        else:
            url = f"{self.store_url}/wp-json/{route}"
        return await self.session.request(
            method, url, params=params, auth=self.sign, content=content
        )

    async def get(self, route: str, params: Params = ()) -> Answer:
        """GET a route of WooCommerce (`orders`) that must succeed. Raises StoreError."""
        answer = await self.ask(f"{NAMESPACE}/{route}", params)
        error = status_error(answer, asked=self.describe(route))
        if error is not None:
            raise error
        return answer

    async def get_below(self, route: str, params: Params = ()) -> Answer | None:
        """GET a list below a record (`products/9/variations`); None if that record is gone.

        Raises StoreError, also where the route itself is unknown.
        """
        answer = await self.ask(f"{NAMESPACE}/{route}", params)
        error = status_error(answer, asked=self.describe(route))
        if isinstance(error, RouteMissingError) and error_text(answer)[0].endswith("_invalid_id"):
            return None
        if error is not None:
            raise error
        return answer

    async def write(
        self, method: str, route: str, body: Mapping[str, Any] | None = None, params: Params = ()
    ) -> Any:
        """Change something at a route of WooCommerce; what the shop answers, as JSON.

        A read key that writes gets 401, as a wrong key does (measured): a read tells them apart.

        Raises:
            PermissionDeniedError: the key may read, but not write.
            StoreError: as ever.
        """
        asked = self.describe(route, method)
        content = None if body is None else orjson.dumps(body)
        answer = await self.ask(f"{NAMESPACE}/{route}", params, method=method, content=content)
        error = status_error(answer, asked=asked)
        if error is None:
            return read_json(answer, asked=asked)
        if isinstance(error, CredentialsError) and await self._reads():
            raise PermissionDeniedError(
                f"{asked}: the key may read but not write. Give it the permission Read/Write in"
                f" WooCommerce → Settings → Advanced → REST API. {error}",
                status=error.status,
            )
        raise error

    async def _reads(self) -> bool:
        answer = await self.ask(f"{NAMESPACE}/products", (("per_page", "1"), ("_fields", "id")))
        return status_error(answer, asked=self.describe("products")) is None

    def describe(self, route: str, method: str = "GET") -> str:
        """The route for people."""
        return f"{method} {self.store_url}/wp-json/{NAMESPACE}/{route}"

    def rows(self, answer: Answer, route: str) -> list[Any]:
        """The rows of a list's answer. Raises StoreError if it is no list."""
        body = read_json(answer, asked=self.describe(route))
        if not isinstance(body, list):
            raise StoreUnavailableError(
                f"{self.describe(route)}: the store answered with something that is not a list.",
                status=answer.status,
            )
        return body


def open_access(
    config: WooCommerceConfig, facts: StoreFacts, session: HttpSession
) -> tuple[ShopAccess, ShopDetails]:
    """The access that a probe found to work."""
    details = ShopDetails.model_validate(dict(facts.details))
    sign = make_signer(details.auth, config, signing_url=details.signing_url or config.store_url)
    return ShopAccess(session, config.store_url, details.api, sign), details


def make_signer(method: AuthMethod, config: WooCommerceConfig, *, signing_url: str) -> SignRequest:
    """The proof of identity by one method. `signing_url` is the home URL that OAuth signs."""
    keys = Keys(config.consumer_key, config.consumer_secret)
    if method is AuthMethod.OAUTH:
        return oauth_auth(keys, store_url=config.store_url, home_url=signing_url)
    return basic_auth(keys) if method is AuthMethod.BASIC else query_auth(keys)


def header_number(answer: Answer, name: str) -> int | None:
    """A count from a header (`x-wp-total`); None if it is missing or no count."""
    raw = answer.headers.get(name, "")
    return int(raw) if raw.isascii() and raw.isdigit() and len(raw) < 16 else None


def join_ids(ids: Sequence[int]) -> str:
    """Ids as a list parameter."""
    return ",".join(map(str, ids))

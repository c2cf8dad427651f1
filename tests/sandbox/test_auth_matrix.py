import ast
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.sandbox.client import API, enc, oauth_header, oauth_query
from tests.sandbox.conftest import Served

MATRIX = (Path(__file__).with_name("samples") / "auth_matrix.txt").read_text().splitlines()
QUERY = "per_page=3"
UNKNOWN = ("ck_" + "0" * 40, "cs_" + "0" * 40)
WRONG_SECRET = "cs_" + "f" * 40
SPECIAL = "ü & b+c"


class Asker:
    """Asks for three products in each of the ways of the matrix."""

    def __init__(self, served: Served, client: httpx.Client) -> None:
        self.served = served
        self.client = client
        self.plain = f"{served.ready.url}{API}/products"
        self.secure = f"{served.ready.https_url}{API}/products"

    def get(self, url: str, query: str = QUERY, **options: Any) -> httpx.Response:
        return self.client.get(f"{url}?{query}", **options)

    def signed(self, query: str = QUERY, **override: str) -> httpx.Response:
        return self.get(self.plain, oauth_query(self.plain, query, self.served.key, **override))

    def keys_in_query(self, url: str) -> httpx.Response:
        name, secret = self.served.key
        return self.get(url, f"{QUERY}&consumer_key={name}&consumer_secret={secret}")

    def nonce_twice(self) -> httpx.Response:
        query = oauth_query(self.plain, QUERY, self.served.key)
        assert self.get(self.plain, query).status_code == 200
        return self.get(self.plain, query)

    def with_special_characters(self) -> httpx.Response:
        for n in range(3):
            body = {"name": f"a ü & b+c {n}"}
            self.client.post(self.secure, json=body, auth=self.served.key)
        return self.signed(f"{QUERY}&search={enc(SPECIAL)}")

    def array(self) -> httpx.Response:
        # PHP numbers the members of `include[]`, and so must who signs them.
        signed = oauth_query(self.plain, f"{QUERY}&include%5B0%5D=999999", self.served.key)
        return self.get(self.plain, signed.replace("include%5B0%5D", "include%5B%5D"))

    def rest_route(self) -> httpx.Response:
        url = f"{self.served.ready.url}/"
        query = oauth_query(url, f"rest_route=/wc/v3/products&{QUERY}", self.served.key)
        return self.get(url, query)

    def page(self, path: str) -> httpx.Response:
        url = f"{self.served.ready.https_url}{API}/{path}"
        return self.client.get(url, auth=self.served.key)


HOW: dict[str, Callable[[Asker], httpx.Response]] = {
    "http none": lambda a: a.get(a.plain),
    "http basic": lambda a: a.get(a.plain, auth=a.served.key),
    "http query": lambda a: a.keys_in_query(a.plain),
    "http oauth": lambda a: a.signed(),
    "http oauth-header": lambda a: a.get(
        a.plain, headers=oauth_header(a.plain, QUERY, a.served.key)
    ),
    "https none": lambda a: a.get(a.secure),
    "https basic": lambda a: a.get(a.secure, auth=a.served.key),
    "https query": lambda a: a.keys_in_query(a.secure),
    "https oauth": lambda a: a.get(a.secure, oauth_query(a.secure, QUERY, a.served.key)),
    "https oauth-header": lambda a: a.get(
        a.secure, headers=oauth_header(a.secure, QUERY, a.served.key)
    ),
    "http basic + X-Forwarded-Proto: https": lambda a: a.get(
        a.plain, auth=a.served.key, headers={"X-Forwarded-Proto": "https"}
    ),
    "http oauth HMAC-SHA1": lambda a: a.signed(algorithm="HMAC-SHA1"),
    "http oauth nonce first": lambda a: a.signed(),
    "http oauth same nonce again": lambda a: a.nonce_twice(),
    "http oauth timestamp -20 min": lambda a: a.signed(
        oauth_timestamp=str(int(time.time()) - 1200)
    ),
    "http oauth wrong secret": lambda a: a.get(
        a.plain, oauth_query(a.plain, QUERY, (a.served.key[0], WRONG_SECRET))
    ),
    "http oauth unknown key": lambda a: a.get(a.plain, oauth_query(a.plain, QUERY, UNKNOWN)),
    "https basic wrong secret": lambda a: a.get(a.secure, auth=(a.served.key[0], WRONG_SECRET)),
    "https basic unknown key": lambda a: a.get(a.secure, auth=UNKNOWN),
    "https basic read key GET": lambda a: a.get(a.secure, auth=a.served.read_key),
    "https basic read key POST": lambda a: a.client.post(
        a.secure, json={"name": "x"}, auth=a.served.read_key
    ),
    "https basic write key GET": lambda a: a.get(a.secure, auth=a.served.write_key),
    'http oauth params with special chars (search="ü & b+c")': Asker.with_special_characters,
    "http oauth array param include[]=": Asker.array,
    "http oauth modified_after with : and +": lambda a: a.signed(
        f"{QUERY}&modified_after=2024-02-01T00%3A00%3A00%2B00%3A00"
    ),
    "http oauth ?rest_route form": Asker.rest_route,
    "per_page=101": lambda a: a.page("products?per_page=101"),
    "page beyond end": lambda a: a.page("products?page=999"),
    "orders page beyond end": lambda a: a.page("orders?page=999"),
    "unknown id": lambda a: a.page("products/999999"),
    "unknown route": lambda a: a.page("nonsense"),
    "bad date": lambda a: a.page("orders?modified_after=yesterday"),
    "_fields=id,sku": lambda a: a.page("products?_fields=id,sku&per_page=2"),
}


def measured(line: str) -> tuple[str, int, Any]:
    status, _, rest = line[63:].partition(" ")
    return line[:63].strip(), int(status), ast.literal_eval(rest)


@pytest.mark.parametrize("line", MATRIX)
def test_shop_answers_as_measured(line: str, served: Served, http: httpx.Client) -> None:
    how, status, outcome = measured(line)
    answer = HOW[how](Asker(served, http))
    body = answer.json()
    seen = len(body) if isinstance(body, list) else (body["code"], body["message"])
    assert (answer.status_code, seen) == (status, outcome)


def test_wrong_basic_secret_is_told_the_realm(served: Served, http: httpx.Client) -> None:
    url = f"{served.ready.https_url}{API}/products"
    answer = http.get(url, auth=(served.key[0], WRONG_SECRET))
    assert answer.headers["www-authenticate"].startswith('Basic realm="WooCommerce API.')


def test_half_of_the_oauth_parameters_are_named(served: Served, http: httpx.Client) -> None:
    url = f"{served.ready.url}{API}/products?oauth_consumer_key={served.key[0]}&oauth_nonce=n"
    assert http.get(url).json() == {
        "code": "woocommerce_rest_authentication_missing_parameter",
        "message": "Missing OAuth parameters oauth_timestamp, oauth_signature,"
        " oauth_signature_method",
        "data": {"status": 401},
    }


def test_signature_covers_the_home_url_only(served: Served, http: httpx.Client) -> None:
    url = f"{served.ready.url.replace('127.0.0.1', 'localhost')}{API}/products"
    answer = http.get(f"{url}?{oauth_query(url, QUERY, served.key)}")
    assert answer.json()["message"] == "Invalid signature - provided signature does not match."


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("POST", "products", "woocommerce_rest_cannot_create"),
        ("PUT", "products/1", "woocommerce_rest_cannot_edit"),
        ("DELETE", "products/1", "woocommerce_rest_cannot_delete"),
        ("GET", "products/1", "woocommerce_rest_cannot_view"),
        ("POST", "orders/batch", "woocommerce_rest_cannot_batch"),
    ],
)
def test_nobody_is_refused_by_what_they_try(
    method: str, path: str, code: str, served: Served, http: httpx.Client
) -> None:
    answer = http.request(method, f"{served.ready.url}{API}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_rest_route_works_over_https(served: Served, http: httpx.Client) -> None:
    url = f"{served.ready.https_url}/?rest_route=/wc/v3/products&{QUERY}"
    assert len(http.get(url, auth=served.key).json()) == 3

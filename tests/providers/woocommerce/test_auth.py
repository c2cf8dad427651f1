import base64

import pytest
from pydantic import SecretStr

from providers._kit.protocols import Params
from providers.woocommerce.auth import (
    Keys,
    basic_auth,
    oauth_auth,
    oauth_signature,
    query_auth,
    signature_base,
)

KEYS = Keys(SecretStr("ck_1"), SecretStr("cs_2"))
PARAMS: Params = (
    ("search", "ü & b+c~"),
    ("modified_after", "2026-07-06T22:03:51"),
    ("include", "1,2"),
)
# Made by hand and signed with `openssl dgst -sha256 -hmac 'cs_2&'`.
BASE = (
    "GET&http%3A%2F%2F127.0.0.1%3A8090%2Fshop%2Fwp-json%2Fwc%2Fv3%2Fproducts&"
    "include%3D1%252C2%26modified_after%3D2026-07-06T22%253A03%253A51"
    "%26oauth_consumer_key%3Dck_1%26oauth_nonce%3Dabc%26oauth_signature_method%3DHMAC-SHA256"
    "%26oauth_timestamp%3D1795222632%26search%3D%25C3%25BC%2520%2526%2520b%252Bc~"
)
SIGNATURE = "PqBpDzPIBG5rsZeO3ggVLvYNBuGMoyznuj88Mc3jaRY="


def test_base_string_is_that_of_the_rfc() -> None:
    # RFC 5849, 3.4.1.1 and 3.4.1.3.2.
    params = (
        ("b5", "=%3D"),
        ("a3", "a"),
        ("c@", ""),
        ("a2", "r b"),
        ("oauth_consumer_key", "9djdj82h48djs9d2"),
        ("oauth_token", "kkk9d7dh3k39sjv7"),
        ("oauth_signature_method", "HMAC-SHA1"),
        ("oauth_timestamp", "137131201"),
        ("oauth_nonce", "7d8f3e4a"),
        ("c2", ""),
        ("a3", "2 q"),
    )

    assert signature_base("post", "http://example.com/request", params) == (
        "POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da"
        "%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2"
        "%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1"
        "%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7"
    )


def test_signature_is_what_another_program_computes() -> None:
    assert oauth_signature(BASE, "cs_2") == SIGNATURE


def test_request_is_signed_for_the_shops_own_home_url() -> None:
    sign = oauth_auth(
        KEYS,
        store_url="http://localhost:8090/shop",
        home_url="http://127.0.0.1:8090/shop/",
        clock=lambda: 1795222632.9,
        nonce=lambda: "abc",
    )

    params, headers = sign("GET", "http://localhost:8090/shop/wp-json/wc/v3/products", PARAMS)

    assert headers == {}
    assert params == (
        *PARAMS,
        ("oauth_consumer_key", "ck_1"),
        ("oauth_timestamp", "1795222632"),
        ("oauth_nonce", "abc"),
        ("oauth_signature_method", "HMAC-SHA256"),
        ("oauth_signature", SIGNATURE),
    )


def test_each_try_has_its_own_nonce() -> None:
    sign = oauth_auth(KEYS, store_url="http://shop.example", home_url="http://shop.example")

    nonces = {
        dict(sign("GET", "http://shop.example/wp-json/", ())[0])["oauth_nonce"] for _ in range(50)
    }

    assert len(nonces) == 50


def test_basic_sends_a_header_and_nothing_in_the_query() -> None:
    params, headers = basic_auth(KEYS)("GET", "https://shop.example/wp-json/", PARAMS)

    assert params == PARAMS
    assert base64.b64decode(headers["authorization"].removeprefix("Basic ")) == b"ck_1:cs_2"


def test_keys_in_the_query_are_the_last_parameters() -> None:
    params, headers = query_auth(KEYS)("GET", "https://shop.example/wp-json/", (("page", "1"),))

    assert headers == {}
    assert params == (
        ("page", "1"),
        ("consumer_key", "ck_1"),
        ("consumer_secret", "cs_2"),
    )


@pytest.mark.parametrize("make", [basic_auth, query_auth])
def test_clear_keys_are_never_sent_over_plain_http(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match="https only"):
        make(KEYS)("GET", "http://shop.example/wp-json/", ())


def test_keys_do_not_show() -> None:
    assert "ck_1" not in repr(KEYS)
    assert "cs_2" not in repr(KEYS)

from typing import Any

import pytest
from pydantic import ValidationError

from providers.woocommerce.config import WooCommerceConfig
from tests.providers.woocommerce.shops import KEY, SECRET

FORM = {"storeUrl": "https://shop.example", "consumerKey": KEY, "consumerSecret": SECRET}


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://shop.example/", "https://shop.example"),
        ("https://shop.example/wp-json", "https://shop.example"),
        ("https://shop.example/wp-json/wc/v3/", "https://shop.example"),
        ("https://shop.example/de/wp-admin/admin.php", "https://shop.example/de"),
        ("http://shop.example/shop/", "http://shop.example/shop"),
    ],
)
def test_store_url_is_the_shops_home(typed: str, url: str) -> None:
    assert WooCommerceConfig.model_validate({**FORM, "storeUrl": typed}).store_url == url


@pytest.mark.parametrize("secret", ["s3cr3t-ü", "🔑 & < > \" '", "x"])
def test_any_webhook_secret_is_taken(secret: str) -> None:
    config = WooCommerceConfig.model_validate({**FORM, "webhookSecret": secret})

    assert config.webhook_secret is not None
    assert config.webhook_secret.get_secret_value() == secret


def test_keys_lose_the_spaces_they_were_copied_with() -> None:
    config = WooCommerceConfig.model_validate({**FORM, "consumerKey": f" {KEY}\n"})

    assert config.consumer_key.get_secret_value() == KEY


@pytest.mark.parametrize(
    "change",
    [
        {"storeUrl": "shop.example"},
        {"storeUrl": "https://a:b@shop.example"},
        {"consumerKey": ""},
        {"consumerKey": "ck_a\x00bcdefgh"},
        {"consumerSecret": "cs_ünïcode"},
        {"consumerKey": SECRET, "consumerSecret": KEY},
        {"webhookSecret": ""},
        {"extra": 1},
    ],
)
def test_wrong_entries_are_refused_without_repeating_them(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as caught:
        WooCommerceConfig.model_validate({**FORM, **change})
    assert KEY not in str(caught.value)
    assert SECRET not in str(caught.value)


def test_secrets_do_not_show() -> None:
    config = WooCommerceConfig.model_validate({**FORM, "webhookSecret": "s3cr3t-ü"})

    shown = repr(config) + str(config) + config.model_dump_json() + repr(config.model_dump())
    assert not any(secret in shown for secret in (KEY, SECRET, "s3cr3t-ü"))


def test_form_is_drawn_from_the_schema() -> None:
    schema = WooCommerceConfig.model_json_schema()

    assert list(schema["properties"]) == [
        "storeUrl",
        "consumerKey",
        "consumerSecret",
        "webhookSecret",
    ]
    assert schema["required"] == ["storeUrl", "consumerKey", "consumerSecret"]
    assert schema["properties"]["storeUrl"]["format"] == "uri"
    assert schema["properties"]["consumerSecret"]["format"] == "password"
    assert schema["properties"]["consumerSecret"]["writeOnly"] is True

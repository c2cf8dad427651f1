from typing import Any

import pytest
from pydantic import ValidationError

from domain.errors import InvalidRecordError
from providers._kit.install_links import InstallRequest
from providers.easyorder.config import DEFAULT_API_URL, EasyOrderConfig
from providers.easyorder.install import ORIGIN, install_url, read_callback
from providers.easyorder.phones import to_international

FORM = {"storeUrl": "https://store.example/mine/", "apiKey": " eo_0123456789 "}


def config(**fields: Any) -> EasyOrderConfig:
    return EasyOrderConfig.model_validate({**FORM, **fields})


def test_secrets_may_come_later_and_defaults_are_the_safe_ones() -> None:
    made = config()

    assert (made.webhook_secret, made.status_webhook_secret) == (None, None)
    assert made.api_key.get_secret_value() == "eo_0123456789"
    assert (made.store_url, made.api_url) == ("https://store.example/mine", DEFAULT_API_URL)
    assert (made.currency, made.country, made.order_scan) == ("EGP", "EG", False)
    assert made.variant_sku_addressable is False
    assert "eo_0123456789" not in repr(made) + made.model_dump_json()


def test_form_lists_every_field_once_and_says_what_is_unknown() -> None:
    schema = EasyOrderConfig.model_json_schema()["properties"]

    assert list(schema)[:3] == ["storeUrl", "apiKey", "currency"]
    assert len(schema) == len(EasyOrderConfig.model_fields)
    unknown = ("updatedAtFilter", "sortBy", "variantsOnUpdate", "variantSkuAddressable")
    assert all("Not documented" in schema[name]["description"] for name in unknown)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("storeUrl", "store.example"),
        ("apiUrl", "https://user:hunter2@api.example"),
        ("apiKey", "with space in it"),
        ("currency", "pounds"),
        ("country", "EGY"),
        ("sortBy", "id;drop"),
        ("orderScanLimit", 500),
        ("processingWord", "shipped"),
        ("unknown", 1),
    ],
)
def test_what_does_not_fit_is_refused_without_its_value(name: str, value: Any) -> None:
    with pytest.raises(ValidationError) as caught:
        config(**{name: value})
    assert [one["loc"][0] for one in caught.value.errors()] == [name]
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "country", "number"),
    [
        ("01034567890", "EG", "+201034567890"),
        ("٠١٠٣٤٥٦٧٨٩٠", "EG", "+201034567890"),
        ("+20 103-456 7890", "SA", "+201034567890"),
        ("00201034567890", "EG", "+201034567890"),
        ("201034567890", "EG", "+201034567890"),
        ("1034567890", "EG", "+201034567890"),
        ("0501234567", "AE", "+971501234567"),
        ("call me", "EG", "call me"),
        ("0123", "EG", "0123"),
        ("0612345678", "FR", "0612345678"),
    ],
)
def test_phones_become_international_or_stay(raw: str, country: str, number: str) -> None:
    assert to_international(raw, country) == number


def test_install_link_asks_for_what_is_needed_and_nothing_more() -> None:
    link = install_url(
        InstallRequest("My hub", "Syncs", "https://h.example/c/t", "https://h.example/n", "")
    )

    assert link.startswith(f"{ORIGIN}/#/install-app?app_name=My%20hub&")
    assert "callback_url=https%3A%2F%2Fh.example%2Fc%2Ft" in link
    assert "delete" not in link
    assert "order_status_webhook" not in link


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"api_key": 5}', b'{"api_key": ""}', b"{" * 9_000, b'{"store_id": 1}']
)
def test_callback_without_a_key_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRecordError, match="api_key"):
        read_callback(body)


def test_callback_brings_the_key_alone() -> None:
    body = b'{"api_key": "eo_1", "store_id": "s", "api_url": "https://evil.example"}'

    assert read_callback(body) == {"apiKey": "eo_1"}

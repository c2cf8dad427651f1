"""Forms of a provider whose shop makes the webhook secret, and which names its API's address."""

import pytest

from api.connection_form import check_part, fill_in, merge
from api.problems import ProblemError
from providers._kit.registry import Registry

EASY = Registry().get("easyorder")
WOO = Registry().get("woocommerce")
FORM = {"storeUrl": "https://store.example/mine", "apiKey": "eo_0123456789"}


def test_secret_is_made_only_where_the_hub_makes_it() -> None:
    keys = {"storeUrl": "https://shop.example", "consumerKey": "ck_12345", "consumerSecret": "cs_1"}
    keys["consumerSecret"] = "cs_12345"

    assert fill_in(EASY, FORM).generated_secret is None
    assert fill_in(EASY, FORM).config.webhook_secret is None
    assert fill_in(WOO, keys).generated_secret is not None


def test_secrets_are_entered_later() -> None:
    kept = fill_in(EASY, FORM).plain

    later = merge(EASY, kept, {"webhookSecret": "orders-secret", "statusWebhookSecret": "status-1"})

    assert later.config.webhook_secret is not None
    assert later.config.webhook_secret.get_secret_value() == "orders-secret"
    assert later.generated_secret is None


@pytest.mark.parametrize("field", ["storeUrl", "apiUrl"])
def test_stored_key_is_never_sent_to_a_new_address(field: str) -> None:
    kept = fill_in(EASY, FORM).plain

    with pytest.raises(ProblemError) as caught:
        merge(EASY, kept, {field: "https://elsewhere.example/api"})
    moved = merge(EASY, kept, {field: "https://elsewhere.example/api", "apiKey": "eo_9876543210"})

    assert [one.pointer for one in caught.value.errors] == ["/config/apiKey"]
    assert moved.config.store_url.startswith("https://")


def test_part_of_a_form_may_lack_but_not_be_wrong() -> None:
    check_part(EASY, {"storeUrl": "https://store.example"})

    with pytest.raises(ProblemError) as caught:
        check_part(EASY, {"currency": "?"})
    assert [one.pointer for one in caught.value.errors] == ["/config/currency"]

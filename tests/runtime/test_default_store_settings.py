"""The variables of a default store: what is read, what is refused, and in which words."""

import os
from pathlib import Path

import pytest

from runtime.default_store_settings import load_default_store, load_logged_providers
from runtime.settings import SettingsError

KEY, SECRET, HOOK = "ck_" + "1" * 40, "cs_" + "2" * 40, "whs-very-secret"
WHOLE = {
    "WOOCOMMERCE_SITE_URL": "https://shop.example/store",
    "WOOCOMMERCE_CONSUMER_KEY": KEY,
    "WOOCOMMERCE_CONSUMER_SECRET": SECRET,
}
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("WOOCOMMERCE_")]:
        monkeypatch.delenv(name)


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in {**WHOLE, **values}.items():
        monkeypatch.setenv(name, value)


def test_without_variables_there_is_no_default_store() -> None:
    assert load_default_store(None) is None
    assert load_logged_providers(None) == frozenset()


def test_the_variables_fill_in_the_form_and_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, WOOCOMMERCE_WEBHOOK_SECRET=HOOK)
    found = load_default_store(None)
    assert found is not None
    assert found.form() == {
        "storeUrl": "https://shop.example/store",
        "consumerKey": KEY,
        "consumerSecret": SECRET,
        "webhookSecret": HOOK,
    }
    shown = f"{found!r} {found}"
    assert [one for one in (KEY, SECRET, HOOK) if one in shown] == []


def test_the_webhook_secret_may_be_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, WOOCOMMERCE_WEBHOOK_SECRET="")
    found = load_default_store(None)
    assert found is not None
    assert "webhookSecret" not in found.form()


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file = tmp_path / ".env"
    lines = [f"{name}={value}" for name, value in WHOLE.items()]
    env_file.write_text("\n".join([*lines, "WOOCOMMERCE_DEBUG_LOGGING=true"]))
    monkeypatch.setenv("WOOCOMMERCE_SITE_URL", "https://other.example")
    found = load_default_store(env_file)
    assert found is not None
    assert found.form()["storeUrl"] == "https://other.example"
    assert found.form()["consumerKey"] == KEY
    assert load_logged_providers(env_file) == {"woocommerce"}
    monkeypatch.setenv("WOOCOMMERCE_DEBUG_LOGGING", "off")
    assert load_logged_providers(env_file) == frozenset()


@pytest.mark.parametrize("missing", list(WHOLE))
def test_a_part_of_them_is_refused_in_one_line(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, WOOCOMMERCE_WEBHOOK_SECRET=HOOK, **{missing: ""})
    with pytest.raises(SettingsError, match=f"{missing} not set, but WOOCOMMERCE_") as caught:
        load_default_store(None)
    told = str(caught.value)
    assert "\n" not in told
    assert [one for one in (KEY, SECRET, HOOK) if one in told] == []


def test_a_webhook_secret_alone_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOOCOMMERCE_WEBHOOK_SECRET", HOOK)
    with pytest.raises(SettingsError, match="WOOCOMMERCE_SITE_URL, WOOCOMMERCE_CONSUMER_KEY"):
        load_default_store(None)


@pytest.mark.parametrize(
    "address",
    [
        "shop.example",
        "ftp://shop.example",
        f"https://u:{SECRET}@shop.example",
        "https://",
        "https://a?b",
    ],
)
def test_what_is_no_address_is_refused_without_repeating_it(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, WOOCOMMERCE_SITE_URL=address)
    with pytest.raises(SettingsError, match="WOOCOMMERCE_SITE_URL: the shop's home address") as one:
        load_default_store(None)
    assert SECRET not in str(one.value)


def test_debug_logging_is_true_or_false(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WOOCOMMERCE_DEBUG_LOGGING", "sometimes")
    with pytest.raises(SettingsError, match="WOOCOMMERCE_DEBUG_LOGGING: true or false"):
        load_logged_providers(None)


def test_the_example_names_every_variable_and_can_be_loaded(tmp_path: Path) -> None:
    example = (ROOT / ".env.woocommerce.example").read_text()
    names = {line.split("=")[0] for line in example.splitlines() if "=" in line and line[0] != "#"}
    assert names >= {*WHOLE, "WOOCOMMERCE_WEBHOOK_SECRET", "WOOCOMMERCE_DEBUG_LOGGING"}
    filled = tmp_path / ".env"
    filled.write_text(example)
    assert load_default_store(filled) is not None
    assert load_logged_providers(filled) == frozenset()
    assert ".env.woocommerce.example" in (ROOT / "README.md").read_text()

"""What processes are told of people who log in."""

import pytest

from api.config import PeopleConfig
from runtime.api_process import people_config
from runtime.settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def _database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTREPOT_DATABASE_URL", "postgres://app@db/entrepot")


def test_the_defaults_are_those_of_the_api() -> None:
    assert people_config(load_settings(None)) == PeopleConfig()


def test_every_setting_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, str | int] = {"token_issuer": "hub", "token_audience": "people"}
    for number, name in enumerate(set(PeopleConfig.model_fields) - set(told)):
        told[name] = 100 + number
    for name, value in told.items():
        monkeypatch.setenv(f"ENTREPOT_{name.upper()}", str(value))
    assert people_config(load_settings(None)).model_dump() == told


def test_the_public_url_is_the_issuer_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTREPOT_PUBLIC_URL", "https://hub.example")
    assert people_config(load_settings(None)).token_issuer == "https://hub.example"
    monkeypatch.setenv("ENTREPOT_TOKEN_ISSUER", "hub")
    assert people_config(load_settings(None)).token_issuer == "hub"


@pytest.mark.parametrize(
    ("name", "value"),
    [("ACCESS_TOKEN_S", "0"), ("REFRESH_TOKEN_S", "1"), ("FAILED_KEYS", "0"), ("THROTTLE_S", "x")],
)
def test_what_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"ENTREPOT_{name}", value)
    with pytest.raises(SettingsError, match=f"ENTREPOT_{name}: "):
        load_settings(None)

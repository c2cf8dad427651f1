"""Settings: what is read, what is refused, and in which words."""

import base64
import os
from pathlib import Path

import pytest

from runtime.key_file import decode_key
from runtime.settings import Settings, SettingsError, load_settings

KEY = "0f" * 32
SECRET = "hunter2-very-secret"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("ENTREPOT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ENTREPOT_DATABASE_URL", f"postgres://app:{SECRET}@db:5432/entrepot")


def test_the_environment_wins_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text("ENTREPOT_PORT=4100\nENTREPOT_HOST=0.0.0.0\nPOSTGRES_PASSWORD=x\n")
    monkeypatch.setenv("ENTREPOT_PORT", "4200")
    settings = load_settings(env_file)
    assert (settings.port, settings.host) == (4200, "0.0.0.0")


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTREPOT_PUBLIC_URL", "")
    assert load_settings(None).public_url is None


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_is_one_url(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENTREPOT_DATABASE_URL", f"{scheme}://app@db/entrepot")
    assert load_settings(None).database_url.get_secret_value() == "postgresql://app@db/entrepot"


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTREPOT_RETRY_LADDER_S", "0, 1.5,60")
    monkeypatch.setenv("ENTREPOT_ENCRYPTION_KEY", KEY)
    monkeypatch.setenv("ENTREPOT_ENCRYPTION_KEYS_OLD", f"{'aa' * 32},{'bb' * 32}")
    settings = load_settings(None)
    assert list(settings.retry_ladder_s) == [0, 1.5, 60]
    assert settings.encryption_ring() == (b"\x0f" * 32, b"\xaa" * 32, b"\xbb" * 32)


def test_the_defaults_are_the_products() -> None:
    settings = load_settings(None)
    assert (settings.port, settings.allow_private_addresses) == (4000, False)
    assert list(settings.retry_ladder_s) == [0, 300, 900, 3600, 10800]


@pytest.mark.parametrize(
    "text",
    [
        bytes(range(32)).hex(),
        base64.b64encode(bytes(range(32))).decode(),
        base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("="),
    ],
)
def test_a_key_is_read_as_hex_and_as_base64(text: str) -> None:
    assert decode_key(text) == bytes(range(32))


URL_WANTED = "a PostgreSQL URL is needed: postgresql://role:password@host:5432/database"
NUMBER_WANTED = "input should be a valid number, unable to parse string as a number"
MAKES_ONE = "python3 -c 'import secrets; print(secrets.token_hex(32))' makes one"
PROXIES_WANTED = "addresses or networks like 10.0.0.7,10.1.0.0/16 are needed"
KEY_WANTED = f"a key is 32 bytes in hex or base64; {MAKES_ONE}"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ENTREPOT_DATABASE_URL", f"mysql://{SECRET}@db", f"ENTREPOT_DATABASE_URL: {URL_WANTED}"),
        (
            "ENTREPOT_MIGRATION_DATABASE_URL",
            SECRET,
            f"ENTREPOT_MIGRATION_DATABASE_URL: {URL_WANTED}",
        ),
        ("ENTREPOT_ENCRYPTION_KEY", SECRET, f"ENTREPOT_ENCRYPTION_KEY: {KEY_WANTED}"),
        ("ENTREPOT_ENCRYPTION_KEYS_OLD", SECRET, f"ENTREPOT_ENCRYPTION_KEYS_OLD: {KEY_WANTED}"),
        (
            "ENTREPOT_PORT",
            "99999",
            "ENTREPOT_PORT: input should be less than or equal to 65535",
        ),
        *(
            (
                "ENTREPOT_TRUSTED_PROXIES",
                value,
                f"ENTREPOT_TRUSTED_PROXIES: {PROXIES_WANTED}",
            )
            for value in ("*", "proxy.internal", f"10.0.0.7,{SECRET}")
        ),
        (
            "ENTREPOT_PUBLIC_URL",
            f"https://user:{SECRET}@hub",
            "ENTREPOT_PUBLIC_URL: an address like https://hub.example.com is needed",
        ),
        (
            "ENTREPOT_PUBLIC_URL",
            "https://[hub",
            "ENTREPOT_PUBLIC_URL: an address like https://hub.example.com is needed",
        ),
        (
            "ENTREPOT_RETRY_LADDER_S",
            "0,soon",
            f"ENTREPOT_RETRY_LADDER_S: {NUMBER_WANTED}",
        ),
        (
            "ENTREPOT_ENVIRONMENT",
            "production",
            f"ENTREPOT_ENCRYPTION_KEY is not set: production needs a key; {MAKES_ONE}",
        ),
        ("ENTREPOT_CA_FILE", "/nowhere.pem", "ENTREPOT_CA_FILE names a file that is not there"),
        (
            "ENTREPOT_PUBLIC_ULR",
            SECRET,
            "ENTREPOT_PUBLIC_ULR is not a setting: did you mean ENTREPOT_PUBLIC_URL?",
        ),
        ("ENTREPOT_DATABASE_URL", "", "ENTREPOT_DATABASE_URL is not set"),
    ],
)
def test_a_wrong_setting_is_one_line_without_its_value(
    name: str, value: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings(None)
    assert str(caught.value) == message
    assert caught.value.__cause__ is None


def test_no_secret_shows_in_any_text_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENTREPOT_ENCRYPTION_KEY", KEY)
    monkeypatch.setenv("ENTREPOT_MIGRATION_DATABASE_URL", f"postgresql://own:{SECRET}@db/entrepot")
    settings = load_settings(None)
    shown = f"{settings!r} {settings} {settings.model_dump_json()}"
    assert (SECRET in shown, KEY in shown) == (False, False)


def test_what_needs_a_missing_setting_names_it() -> None:
    settings = load_settings(None)
    with pytest.raises(SettingsError, match=r"^ENTREPOT_ENCRYPTION_KEY is not set; "):
        settings.encryption_ring()
    with pytest.raises(SettingsError, match=r"^ENTREPOT_MIGRATION_DATABASE_URL is not set: "):
        settings.owner_url()


def test_the_example_file_is_valid_and_names_every_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    example = Path(__file__).parents[2] / ".env.example"
    monkeypatch.delenv("ENTREPOT_DATABASE_URL")
    with pytest.raises(SettingsError, match=r"^ENTREPOT_ENCRYPTION_KEY is not set: "):
        load_settings(example)
    monkeypatch.setenv("ENTREPOT_ENCRYPTION_KEY", KEY)
    assert load_settings(example).environment == "production"
    text = example.read_text()
    missing = [field for field in Settings.model_fields if f"ENTREPOT_{field.upper()}=" not in text]
    assert missing == []

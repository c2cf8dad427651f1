"""`entrepot migrate` makes the tenant that a default store needs, and only then."""

from uuid import uuid4

import pytest

from runtime.cli.__main__ import run
from runtime.embedded.postgres import EmbeddedPostgres
from tests.runtime.test_default_store_settings import WHOLE

Show = pytest.CaptureFixture[str]


def test_the_first_tenant_is_made_once_where_the_environment_defines_a_store(
    capsys: Show,
    monkeypatch: pytest.MonkeyPatch,
    postgres: EmbeddedPostgres,
    settings_env: dict[str, str],
) -> None:
    assert settings_env
    name = f"test_{uuid4().hex[:16]}"
    postgres.create_database(name)
    monkeypatch.setenv("ENTREPOT_DATABASE_URL", postgres.url("entrepot_app", name))
    monkeypatch.setenv("ENTREPOT_MIGRATION_DATABASE_URL", postgres.url("entrepot_owner", name))
    said = []
    try:
        for variables in ({}, WHOLE, WHOLE):
            for variable, value in variables.items():
                monkeypatch.setenv(variable, value)
            assert run(["migrate"]) == 0
            assert run(["tenants", "list"]) == 0
            said.append(capsys.readouterr().out)
        monkeypatch.delenv("WOOCOMMERCE_CONSUMER_KEY")
        assert run(["migrate"]) == 2
    finally:
        postgres.drop_database(name)
    assert ["Default" in one for one in said] == [False, True, True]
    assert ["Added tenant Default" in one for one in said] == [False, True, False]
    assert "WOOCOMMERCE_CONSUMER_KEY not set" in capsys.readouterr().err

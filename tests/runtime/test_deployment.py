"""The files a deployment starts from, as far as they can be judged without a container engine."""

import re
from pathlib import Path

from runtime.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
SHOP_EXAMPLE = ".env.woocommerce.example"
EXAMPLE = dict(
    line.split("=", 1)
    for name in (".env.example", SHOP_EXAMPLE)
    for line in (ROOT / name).read_text().splitlines()
    if line and not line.startswith("#")
)
# What .env says of these does not reach a container, and why.
KEPT_OUT = {
    "ENVIRONMENT": "the image says production",
    "DATA_DIR": "for embedded hubs",
    "DATABASE_URL": "made of the passwords",
    "MIGRATION_DATABASE_URL": "made of the passwords, for the service that migrates",
    "HOST": "the image listens on all of its addresses",
    "WORKER_QUEUES": "one service for each pair",
    "ENCRYPTION_KEY_FILE": "a file, to be mounted",
    "CA_FILE": "a file, to be mounted",
    "PROVIDER_PATHS": "folders, to be mounted",
}
# `$$` is a dollar of the container's own shell.
VARIABLES = re.findall(r"(?<!\$)\$\{(\w+)(:[-?])?([^}]*)\}", COMPOSE)


def test_every_secret_must_be_given() -> None:
    secrets = {
        (name, operator)
        for name, operator, _ in VARIABLES
        if name.endswith(("PASSWORD", "ENCRYPTION_KEY"))
    }
    assert secrets == {
        ("POSTGRES_PASSWORD", ":?"),
        ("POSTGRES_OWNER_PASSWORD", ":?"),
        ("POSTGRES_APP_PASSWORD", ":?"),
        ("POSTGRES_TEMPORAL_PASSWORD", ":?"),
        ("ENTREPOT_ENCRYPTION_KEY", ":?"),
    }
    assert [EXAMPLE[name] for name, _ in sorted(secrets)] == [""] * 5


def test_a_password_is_never_written_out() -> None:
    given = re.findall(r"(?:PASSWORD|PWD|KEY)[A-Z_]*: (\S+)", COMPOSE)
    assert [value for value in given if not value.startswith("${")] == []
    assert re.findall(r"://\w+:(?!\$\{)[^@\s]+@", COMPOSE) == []


def test_variables_are_in_the_example_and_settings_exist() -> None:
    assert {name for name, _, _ in VARIABLES} - EXAMPLE.keys() == set()
    known = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+", " ".join([COMPOSE, DOCKERFILE, *EXAMPLE])))
    assert named - known == set()


def test_every_setting_of_the_example_reaches_the_hub() -> None:
    settings = {f"{PREFIX}{field.upper()}" for field in Settings.model_fields}
    shops = {name for name in EXAMPLE if name.startswith("WOOCOMMERCE_")}
    kept_out = {f"{PREFIX}{name}" for name in KEPT_OUT}
    handed_on = {name for name, operator, default in VARIABLES if (operator, default) == (":-", "")}
    assert settings - EXAMPLE.keys() == set()
    assert (settings | shops) - {name for name, _, _ in VARIABLES} == kept_out
    section = COMPOSE.partition("\nx-hub-environment:")[2].partition("\nx-temporal-database:")[0]
    for name in handed_on:
        assert f"\n  {name}: ${{{name}:-}}\n" in section


def test_services_wait_for_services_that_exist_and_are_checked() -> None:
    section = COMPOSE.partition("\nservices:\n")[2].partition("\nconfigs:\n")[0]
    blocks = re.split(r"^  ([a-z-]+):\n", section, flags=re.MULTILINE)
    services = dict(zip(blocks[1::2], blocks[2::2], strict=True))
    waits = set(re.findall(r"^      ([a-z-]+): \{condition: (\w+)\}", COMPOSE, re.MULTILINE))
    assert waits == {
        ("postgres", "service_healthy"),
        ("temporal-schema", "service_completed_successfully"),
        ("temporal", "service_healthy"),
        ("temporal-namespace", "service_completed_successfully"),
        ("migrate", "service_completed_successfully"),
    }
    checked = {name for name, block in services.items() if "\n    healthcheck:" in block}
    assert checked == {"postgres", "temporal", "api", "worker", "events"}


def test_ports_are_open_to_this_machine_alone() -> None:
    ports = re.findall(r"^    ports: \[(.*)\]$", COMPOSE, re.MULTILINE)
    assert ports == ['"127.0.0.1:8080:8080"', '"127.0.0.1:${ENTREPOT_PORT:-4000}:4000"']


def test_the_image_installs_by_hash_and_runs_as_nobody_special() -> None:
    installs = DOCKERFILE.replace("\\\n", "").split("pip install ")[1:]
    assert [re.findall(r"--require-hashes -r \S+|--no-deps", line) for line in installs] == [
        ["--require-hashes -r requirements/bootstrap.lock"],
        ["--require-hashes -r requirements/runtime.lock"],
        ["--no-deps"],
    ]
    assert re.findall(r"^USER (\S+)$", DOCKERFILE, re.MULTILINE) == ["10001"]
    copied = set(re.findall(r"^COPY ([a-z]+) \1$", DOCKERFILE, re.MULTILINE))
    assert copied == {
        *("activities", "api", "db", "domain", "providers", "runtime", "sandbox", "workflows")
    }

"""Logs: one JSON object a line, secrets masked, whoever logs."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from runtime.logging import configure_logging


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def logged(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [
        {key: value for key, value in json.loads(line).items() if key != "timestamp"}
        for line in captured.err.splitlines()
    ]


def test_fields_and_bound_context_are_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(process="worker")
    structlog.contextvars.bind_contextvars(store_id=7)
    structlog.stdlib.get_logger("activities.pull").info("page_pulled", page=3)
    assert logged(capsys) == [
        {
            "event": "page_pulled",
            "level": "info",
            "logger": "activities.pull",
            "page": 3,
            "process": "worker",
            "store_id": 7,
        }
    ]


def test_a_logger_in_use_follows_a_new_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    log = structlog.stdlib.get_logger("api.logins")
    configure_logging(process="migrate")
    log.info("before")
    structlog.reset_defaults()
    with structlog.testing.capture_logs() as lines:
        log.info("caught")
    configure_logging(process="api")
    log.info("after")
    assert [line["process"] for line in logged(capsys)] == ["migrate", "api"]
    assert [line["event"] for line in lines] == ["caught"]


def test_a_library_logs_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    logging.getLogger("sqlalchemy.pool").warning("slow %s", "disk", extra={"took_s": 2})
    assert logged(capsys) == [
        {"event": "slow disk", "level": "warning", "logger": "sqlalchemy.pool", "took_s": 2}
    ]


def test_secrets_are_masked_at_any_depth(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging()
    structlog.stdlib.get_logger("api").info(
        "called", headers={"Authorization": "Basic x", "accept": "*"}, consumerSecret="cs_1"
    )
    assert logged(capsys) == [
        {
            "consumerSecret": "***",
            "event": "called",
            "headers": {"Authorization": "***", "accept": "*"},
            "level": "info",
            "logger": "api",
        }
    ]


def test_libraries_that_log_urls_are_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(level="debug")
    logging.getLogger("httpx").info("GET https://shop/?consumer_key=ck_1")
    assert logged(capsys) == []


def test_a_line_below_the_level_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(level="warning")
    structlog.stdlib.get_logger("api").info("chatty")
    assert logged(capsys) == []

"""Structured logs: one JSON object a line in production, aligned text for a person."""

import logging
import sys
from collections.abc import MutableMapping
from functools import lru_cache
from typing import Any, Final, Literal

import orjson
import structlog

_SECRET_WORDS: Final = (
    *("authorization", "cookie", "password", "passwd", "secret", "token", "api_key", "apikey"),
    *("consumer_key", "credentials", "encryption_key", "signature", "private_key"),
)
_MASK = "***"
# These repeat what our own lines say, or name URLs with their query strings.
_QUIET: Final = ("httpx", "httpcore", "uvicorn.access", "uvicorn.error", "asyncio", "alembic")

Event = MutableMapping[str, Any]


def configure_logging(
    *, level: str = "info", log_format: Literal["json", "console"] = "json", process: str = ""
) -> None:
    """Send our logs and those of the libraries to stderr; the latest call decides.

    Args:
        level: debug, info, warning or error.
        log_format: `json` or `console`.
        process: the name of this process (`api`, `worker`), a field of every line.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_process(process),
        structlog.processors.format_exc_info,
        mask_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        # A cached logger would keep the configuration of its first line; it saves 2 of 20 µs.
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _renderer(log_format),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(threshold)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))


def mask_secrets(_logger: object, _method: str, event: Event) -> Event:
    """Replace the value of every field whose name says that it is secret, at any depth."""
    return {key: _masked(key, value) for key, value in event.items()}


def _masked(key: object, value: object) -> object:
    if isinstance(key, str) and _is_secret(key):
        return _MASK
    if isinstance(value, dict):
        return {inner: _masked(inner, content) for inner, content in value.items()}
    return value


@lru_cache(maxsize=1_024)
def _is_secret(name: str) -> bool:
    """There are few names, and each line has a dozen of them."""
    return any(word in name.lower() for word in _SECRET_WORDS)


def _name_process(process: str) -> structlog.typing.Processor:
    def add(_logger: object, _method: str, event: Event) -> Event:
        if process:
            event["process"] = process
        return event

    return add


def _renderer(log_format: Literal["json", "console"]) -> structlog.typing.Processor:
    if log_format == "console":
        return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    return structlog.processors.JSONRenderer(serializer=_to_json)


def _to_json(event: object, **_options: object) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()

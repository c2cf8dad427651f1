"""A line in the log for each request to a store, where that is switched on.

Method, path, status, how long it took and which try of its activity it was: never the query, a
header or a body, which hold keys and people's data.
"""

import logging
import time
from urllib.parse import urlsplit

import structlog
from temporalio import activity

from domain.errors import StoreError
from providers._kit.answers import Answer
from providers._kit.protocols import HttpSession, Params, SignRequest


def _debugging_logger() -> structlog.typing.FilteringBoundLogger:
    """A logger at the level `debug`, whatever the process's own level is."""
    logging.getLogger(__name__).setLevel(logging.DEBUG)
    logger: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
        None,
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
        logger_factory_args=(__name__,),
    )
    return logger


class LoggedSession:
    """An HTTP session that tells of each request."""

    def __init__(self, session: HttpSession, *, store_id: int) -> None:
        self._session = session
        self._store_id = store_id
        self._log = _debugging_logger()

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params = (),
        auth: SignRequest | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Send one request. Raises StoreError, as the session does."""
        started = time.perf_counter()
        try:
            answer = await self._session.request(
                method, url, params=params, auth=auth, content=content
            )
        except StoreError as error:
            self._tell(method, url, type(error).__name__, started)
            raise
        self._tell(method, url, answer.status, started)
        return answer

    def _tell(self, method: str, url: str, status: int | str, started: float) -> None:
        self._log.debug(
            "store_request",
            store_id=self._store_id,
            method=method,
            path=urlsplit(url).path,
            status=status,
            ms=round((time.perf_counter() - started) * 1_000),
            attempt=activity.info().attempt if activity.in_activity() else 1,
        )

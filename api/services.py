"""What the API works with, handed to it whole."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from activities.lanes import Waker
from api.caching import AnswerCache
from api.config import ApiConfig
from api.key_usage import KeyUsage
from api.limits import Limits
from api.password_checks import PasswordChecks
from api.remembered import Remembered
from api.schemas.health import State
from api.temporal import workflow_page
from api.temporal_mappings import MappingGateway
from db.crypto import SecretBox
from db.session import Database
from providers._kit.registry import Registry

Parts = tuple[tuple[State, State, State], State]
"""How the database, its schema and the workers stand, and how Temporal does."""


@dataclass(frozen=True, slots=True)
class ApiServices:
    """The dependencies of the API. `started_at` is what its uptime counts from.

    `replica` is a standby of `database` that reports are read from, if there is one. `limits` and
    `cache` are this process's own, unless they are given a server to share.
    """

    database: Database
    secrets: SecretBox
    registry: Registry
    temporal: MappingGateway
    waker: Waker
    config: ApiConfig
    started_at: datetime
    limits: Limits = field(default_factory=Limits)
    cache: AnswerCache = field(default_factory=AnswerCache)
    key_usage: KeyUsage = field(default_factory=KeyUsage)
    passwords: PasswordChecks = field(default_factory=PasswordChecks)
    connection_tests: Remembered[bool] = field(default_factory=Remembered)
    health: Remembered[Parts] = field(default_factory=Remembered)
    replica: Database | None = None

    @property
    def reports(self) -> Database:
        """What reports and exports are read from; it may be behind `database`.

        Nothing read here is kept under a revision: that is told by `database`.
        """
        return self.replica or self.database

    def workflow_page(self, workflow_id: str | None) -> str | None:
        """Where people look at a workflow in the Temporal UI."""
        return workflow_page(self.config.temporal_ui_url, self.config.namespace, workflow_id)


async def get_services(request: Request) -> ApiServices:
    """The services of the application that serves this request.

    A coroutine though it waits for nothing: plain functions run in a thread, at every request.
    """
    return cast("ApiServices", request.app.state.services)


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


Services = Annotated[ApiServices, Depends(get_services)]

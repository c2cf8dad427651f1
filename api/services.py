"""What the API works with, handed to it whole."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, cast

from fastapi import Depends
from starlette.requests import Request

from activities.lanes import Waker
from api.config import ApiConfig
from api.temporal import workflow_page
from api.temporal_syncs import SyncGateway
from db.crypto import SecretBox
from db.session import Database
from providers._kit.registry import Registry


@dataclass(frozen=True, slots=True)
class ApiServices:
    """The dependencies of the API. `started_at` is what its uptime counts from."""

    database: Database
    secrets: SecretBox
    registry: Registry
    temporal: SyncGateway
    waker: Waker
    config: ApiConfig
    started_at: datetime

    def workflow_page(self, workflow_id: str | None) -> str | None:
        """Where people look at a workflow in the Temporal UI."""
        return workflow_page(self.config.temporal_ui_url, self.config.namespace, workflow_id)


def get_services(request: Request) -> ApiServices:
    """The services of the application that serves this request."""
    return cast("ApiServices", request.app.state.services)


def now() -> datetime:
    """The time, aware."""
    return datetime.now(UTC)


Services = Annotated[ApiServices, Depends(get_services)]

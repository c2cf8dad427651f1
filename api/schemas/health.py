"""Body of `/api/health`."""

from typing import Literal

from api.schemas.base import Answer, UtcTime, example

State = Literal["healthy", "degraded", "unhealthy"]


class ServicesAnswer(Answer):
    """The parts. `workers` is healthy when each task queue has one that serves it; `reports` is the
    replica that reports are read from, if there is one; `integrations` says per provider how the
    stores of the key's tenant are.
    """

    database: State
    temporal: State
    migrations: State
    workers: State
    reports: State | None = None
    integrations: dict[str, State]


class HealthAnswer(Answer):
    """Whether the hub serves. `uptime` is in seconds; `services` only when asked with a key."""

    model_config = Answer.model_config | example(
        {
            "status": "healthy",
            "timestamp": "2026-11-21T09:30:00Z",
            "version": "0.1.0",
            "environment": "production",
            "uptime": 86400,
            "services": {
                "database": "healthy",
                "temporal": "healthy",
                "migrations": "healthy",
                "workers": "healthy",
                "reports": "healthy",
                "integrations": {"woocommerce": "healthy"},
            },
        }
    )

    status: State
    timestamp: UtcTime
    version: str
    environment: str
    uptime: int
    services: ServicesAnswer | None = None

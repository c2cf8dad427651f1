"""What every process of the hub is built from: database, secrets, providers, HTTP."""

from dataclasses import dataclass, field
from typing import Self

from activities.call_stats import CallStats
from db.crypto import SecretBox
from db.session import Database
from providers._kit.http import StoreSession
from providers._kit.registry import Registry
from runtime.default_store_settings import load_logged_providers
from runtime.master_keys import secret_box
from runtime.settings import Settings
from workflows.policies import LANE_REQUEST_S


@dataclass(frozen=True, slots=True)
class Hub:
    """The parts, built once per process. `close` lets go of their connections.

    A request of `lane_session` ends before its lane's turn is taken for dead. `calls` counts the
    requests to stores, until whoever runs the process writes them down. `logged` are the providers
    whose requests are told in the log.
    """

    database: Database
    box: SecretBox
    registry: Registry
    session: StoreSession
    lane_session: StoreSession
    calls: CallStats = field(default_factory=CallStats)
    logged: frozenset[str] = frozenset()

    @classmethod
    def build(cls, settings: Settings, *, pool_size: int, pre_ping: bool = True) -> Self:
        """Build the parts. Opens no connection yet. Raises SettingsError."""
        return cls(
            database=Database(
                settings.database_url.get_secret_value(), pool_size=pool_size, pre_ping=pre_ping
            ),
            box=secret_box(settings),
            registry=Registry(extra_paths=settings.provider_paths),
            session=StoreSession.open(
                allow_private_addresses=settings.allow_private_addresses,
                ca_file=settings.ca_file,
                limits=settings.store_limits(),
            ),
            lane_session=StoreSession.open(
                allow_private_addresses=settings.allow_private_addresses,
                ca_file=settings.ca_file,
                limits=settings.store_limits(at_most_s=LANE_REQUEST_S),
            ),
            logged=load_logged_providers(),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.lane_session.aclose()
        await self.session.aclose()
        await self.database.close()

"""What every process of the hub is built from: database, secrets, providers, HTTP."""

from dataclasses import dataclass
from typing import Self

from db.crypto import SecretBox
from db.session import Database
from providers._kit.connections import HttpLimits
from providers._kit.http import StoreSession
from providers._kit.registry import Registry
from runtime.settings import Settings
from workflows.policies import LANE_REQUEST_S


@dataclass(frozen=True, slots=True)
class Hub:
    """The parts, built once per process. `close` lets go of their connections.

    A request of `lane_session` ends before its lane's turn is taken for dead.
    """

    database: Database
    box: SecretBox
    registry: Registry
    session: StoreSession
    lane_session: StoreSession

    @classmethod
    def build(cls, settings: Settings, *, pool_size: int, pre_ping: bool = True) -> Self:
        """Build the parts. Opens no connection yet. Raises SettingsError."""
        return cls(
            database=Database(
                settings.database_url.get_secret_value(), pool_size=pool_size, pre_ping=pre_ping
            ),
            box=SecretBox(settings.encryption_ring()),
            registry=Registry(extra_paths=settings.provider_paths),
            session=StoreSession.open(
                allow_private_addresses=settings.allow_private_addresses,
                ca_file=settings.ca_file,
            ),
            lane_session=StoreSession.open(
                allow_private_addresses=settings.allow_private_addresses,
                ca_file=settings.ca_file,
                limits=HttpLimits(deadline_s=LANE_REQUEST_S),
            ),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.lane_session.aclose()
        await self.session.aclose()
        await self.database.close()

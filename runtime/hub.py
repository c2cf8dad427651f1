"""What every process of the hub is built from: database, secrets, providers, HTTP."""

from dataclasses import dataclass
from typing import Self

from db.crypto import SecretBox
from db.session import Database
from providers._kit.http import StoreSession
from providers._kit.registry import Registry
from runtime.settings import Settings


@dataclass(frozen=True, slots=True)
class Hub:
    """The parts, built once per process. `close` lets go of their connections."""

    database: Database
    box: SecretBox
    registry: Registry
    session: StoreSession

    @classmethod
    def build(cls, settings: Settings, *, pool_size: int, pre_ping: bool = True) -> Self:
        """Build the parts. Opens no connection yet. Raises SettingsError."""
        return cls(
            database=Database(
                settings.database_url.get_secret_value(), pool_size=pool_size, pre_ping=pre_ping
            ),
            box=SecretBox(settings.encryption_ring()),
            registry=Registry(),
            session=StoreSession.open(
                allow_private_addresses=settings.allow_private_addresses,
                ca_file=settings.ca_file,
            ),
        )

    async def close(self) -> None:
        """Close every connection."""
        await self.session.aclose()
        await self.database.close()

"""Opening a store: its row, its credentials, and a client of its provider."""

from dataclasses import dataclass

from pydantic import ValidationError

from db.crypto import SecretBox, store_context
from db.session import Database
from db.store_checks import find_check
from db.stores import find_credentials, find_store
from domain.errors import SecretError, StoreGoneError
from providers._kit.http import StoreSession
from providers._kit.protocols import Manifest, StoreClient, StoreConfig, StoreFacts
from providers._kit.registry import Registry


@dataclass(frozen=True, slots=True)
class OpenStore:
    """A store one can read from."""

    client: StoreClient
    manifest: Manifest


class StoreOpener:
    """Builds clients. Credentials live in memory for as long as the client does, nowhere else."""

    def __init__(
        self, database: Database, box: SecretBox, registry: Registry, session: StoreSession
    ) -> None:
        self._database = database
        self._box = box
        self._registry = registry
        self._session = session

    async def open(self, tenant_id: int, store_id: int) -> OpenStore:
        """A client for a store that is there and active.

        Raises:
            StoreGoneError: the store was deleted or deactivated.
            SecretError: its credentials cannot be read.
            NotFoundError: its provider is not installed.
        """
        async with self._database.tenant(tenant_id) as connection:
            store = await find_store(connection, store_id)
            sealed = await find_credentials(connection, store_id)
        if store is None or sealed is None or not store.is_active:
            raise StoreGoneError(f"store {store_id} was deleted or deactivated")
        provider = self._registry.get(store.provider)
        config = _read_config(
            provider.config_model, self._box.open(sealed, context=store_context(store_id))
        )
        facts = StoreFacts.model_validate(store.facts)
        return OpenStore(provider.connect(config, facts, self._session), provider.manifest)

    async def open_check(self, tenant_id: int, store_check_id: int) -> StoreClient:
        """A client with credentials on trial.

        Raises:
            StoreGoneError: the check expired.
            SecretError: its credentials cannot be read.
        """
        async with self._database.tenant(tenant_id) as connection:
            check = await find_check(connection, store_check_id)
        if check is None:
            raise StoreGoneError("the check expired before it was made: try again")
        provider = self._registry.get(check.provider)
        plain = self._box.open(check.sealed, context=store_context(check.store_id))
        return provider.connect(_read_config(provider.config_model, plain), None, self._session)


def _read_config(model: type[StoreConfig], plain: bytes) -> StoreConfig:
    try:
        return model.model_validate_json(plain)
    except ValidationError as error:
        fields = ", ".join(sorted({str(part) for one in error.errors() for part in one["loc"]}))
        raise SecretError(
            f"the stored credentials do not fit the provider any more ({fields}): enter them again"
        ) from None

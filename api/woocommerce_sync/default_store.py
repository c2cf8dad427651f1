"""The store that the environment defines: whose it is, and which."""

from dataclasses import dataclass
from typing import Final

from api.connection_form import is_same_shop
from api.services import ApiServices
from api.woocommerce_sync.stores import PROVIDER
from db.stores import Store, list_stores_of
from db.tenants import find_default_tenant

CODE: Final = "default"
"""Its code among the stores of the default tenant."""


@dataclass(frozen=True, slots=True)
class DefaultStore:
    """A store, and the tenant it belongs to."""

    tenant_id: int
    store: Store


async def find_default_store(services: ApiServices) -> DefaultStore | None:
    """The default store; None where the environment defines none, or it is not connected yet."""
    url = services.config.default_store_url
    if url is None:
        return None
    async with services.database.lookup() as connection:
        tenant_id = await find_default_tenant(connection, services.config.default_tenant)
    return None if tenant_id is None else await find_among(services, tenant_id, url)


async def find_among(services: ApiServices, tenant_id: int, url: str) -> DefaultStore | None:
    """The default store of a tenant: the one with its code, or else the one at its address, which
    somebody connected by hand."""
    async with services.database.tenant(tenant_id) as connection:
        stores = await list_stores_of(connection, PROVIDER)
    found = [one for one in stores if one.code == CODE]
    found += [one for one in stores if is_same_shop(one.store_url, url)]
    return DefaultStore(tenant_id, found[0]) if found else None

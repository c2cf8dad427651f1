"""The search attributes every workflow carries, and how much of a queue a tenant may take."""

from domain.entities import Entity
from temporalio.common import (
    Priority,
    SearchAttributeKey,
    SearchAttributePair,
    TypedSearchAttributes,
)

TENANT_ID = SearchAttributeKey.for_keyword("TenantId")
STORE_ID = SearchAttributeKey.for_keyword("StoreId")
PROVIDER = SearchAttributeKey.for_keyword("Provider")
ENTITY = SearchAttributeKey.for_keyword("Entity")

ALL = (TENANT_ID, STORE_ID, PROVIDER, ENTITY)
"""What has to be registered with a namespace before anything starts in it."""


def search_attributes(
    *,
    tenant_id: int,
    store_id: int | None,
    provider: str | None,
    entity: Entity | None = None,
) -> TypedSearchAttributes:
    """The attributes of one workflow; without a store, of one that is the tenant's."""
    pairs: list[SearchAttributePair[str]] = [SearchAttributePair(TENANT_ID, str(tenant_id))]
    if store_id is not None:
        pairs.append(SearchAttributePair(STORE_ID, str(store_id)))
    if provider is not None:
        pairs.append(SearchAttributePair(PROVIDER, provider))
    if entity is not None:
        pairs.append(SearchAttributePair(ENTITY, entity.value))
    return TypedSearchAttributes(pairs)


def fair_share(tenant_id: int) -> Priority:
    """Tenants take turns within a queue."""
    return Priority(fairness_key=str(tenant_id))

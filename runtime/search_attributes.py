"""The search attributes every workflow of ours carries; starting one with an unregistered fails."""

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client

from workflows.search_attributes import ALL

SEARCH_ATTRIBUTES = tuple(key.name for key in ALL)
"""Their names; all of them are keywords."""


async def missing_search_attributes(client: Client) -> list[str]:
    """The names that the client's namespace does not know yet."""
    known = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    return [name for name in SEARCH_ATTRIBUTES if name not in known.custom_attributes]


async def register_search_attributes(client: Client) -> None:
    """Register what is missing in the client's namespace; adding twice is fine.

    Raises:
        temporalio.service.RPCError: the server refuses, as a hosted one may.
    """
    missing = await missing_search_attributes(client)
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(
                namespace=client.namespace,
                search_attributes=dict.fromkeys(
                    missing, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
                ),
            )
        )

"""The fixtures of the suite itself."""

import psycopg
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from runtime.search_attributes import missing_search_attributes


def test_the_application_role_is_under_row_level_security(app_url: str) -> None:
    with psycopg.connect(app_url) as connection:
        row = connection.execute(
            "select rolname, rolsuper, rolbypassrls, rolcreaterole from pg_roles "
            "where rolname = current_user"
        ).fetchone()
    assert row == ("entrepot_app", False, False, False)


def test_the_owner_is_no_superuser_and_has_the_schema(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        row = connection.execute(
            "select rolname, rolsuper, rolbypassrls, to_regclass('tenants')::text from pg_roles "
            "where rolname = current_user"
        ).fetchone()
    assert row == ("entrepot_owner", False, False, "tenants")


async def test_a_module_has_a_namespace_with_our_search_attributes(
    temporal_client: Client, temporal_namespace: str
) -> None:
    assert temporal_client.namespace == temporal_namespace
    assert await missing_search_attributes(temporal_client) == []


async def test_a_workflow_can_start_with_our_search_attributes(temporal_client: Client) -> None:
    handle = await temporal_client.start_workflow(
        "Unserved",
        id="unserved",
        task_queue="nobody",
        search_attributes=TypedSearchAttributes(
            [SearchAttributePair(SearchAttributeKey.for_keyword("TenantId"), "1")]
        ),
    )
    assert (await handle.describe()).typed_search_attributes == TypedSearchAttributes(
        [SearchAttributePair(SearchAttributeKey.for_keyword("TenantId"), "1")]
    )

"""The WooCommerce sync document, row by row: each endpoint, parameter, event, variable and promise
of it, at work.

A row is a name of the document and what has to have been seen of it in one shop's life
(`merchant.story`). A row whose evidence is missing fails alone.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.merchant import rows_api, rows_promises, rows_running
from tests.e2e.merchant.rows_api import Row
from tests.e2e.merchant.story import lived_through
from tests.e2e.merchant.witness import Seen

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROWS: list[Row] = [
    (f"{part}: {name}", is_seen)
    for part, rows in (
        ("endpoint", rows_api.ENDPOINTS),
        ("parameter", rows_api.PARAMETERS),
        ("webhooks", rows_api.WEBHOOKS),
        ("testing", rows_api.TESTING),
        ("setup", rows_promises.SETUP),
        ("flow", rows_promises.FLOWS),
        ("errors", rows_promises.ERRORS),
        ("monitoring", rows_promises.MONITORING),
        ("security", rows_running.SECURITY),
        ("performance", rows_running.PERFORMANCE),
        ("stores", rows_running.STORES),
        ("troubleshooting", rows_running.TROUBLE),
    )
    for name, is_seen in rows
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seen(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Seen]:
    """What was seen in a shop's life."""
    async with lived_through(tmp_path_factory.mktemp("merchant")) as found:
        yield found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: str(row[0]))
async def test_what_the_document_names_works(seen: Seen, row: Row) -> None:
    name, is_seen = row
    assert is_seen(seen), name

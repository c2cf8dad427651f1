"""One shop in the life of a hub that was set up as the document says, lived through once."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import httpx
import pytest

from runtime.embedded.postgres import EmbeddedPostgres
from tests.e2e.merchant.arriving import arrive
from tests.e2e.merchant.failing import PATIENCE_S, fail_beside
from tests.e2e.merchant.reporting import FOR_REPORTS, report
from tests.e2e.merchant.sending import send
from tests.e2e.merchant.telling import tell
from tests.e2e.merchant.witness import SECRET, Seen, Witness
from tests.e2e.running import running_hub
from tests.e2e.shop import Shop, open_shop

LADDER_S: Final = "0,1"
_SHOP: Final = ("--products", "40", "--orders", "24", "--customers", "12", "--seed", "3")
_BRANCH: Final = ("--products", "2", "--orders", "2", "--categories", "1", "--seed", "4")


def variables(shop: Shop) -> dict[str, str]:
    """The environment of the document's installation section, filled in."""
    return {
        "WOOCOMMERCE_SITE_URL": shop.url,
        "WOOCOMMERCE_CONSUMER_KEY": shop.consumer_key,
        "WOOCOMMERCE_CONSUMER_SECRET": shop.consumer_secret,
        "WOOCOMMERCE_WEBHOOK_SECRET": SECRET,
        "WOOCOMMERCE_DEBUG_LOGGING": "true",
    }


@asynccontextmanager
async def lived_through(data_dir: Path) -> AsyncIterator[Seen]:
    """What was seen of it."""
    async with AsyncExitStack() as stack:
        shop = await stack.enter_async_context(open_shop(*_SHOP))
        branch = await stack.enter_async_context(open_shop(*_BRANCH))
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        for name, value in variables(shop).items():
            environment.setenv(name, value)
        hub = await stack.enter_async_context(
            running_hub(
                data_dir,
                retry_ladder_s=LADDER_S,
                store_read_timeout_s=str(PATIENCE_S),
                cache_status_s="0",
                cache_analytics_s="1",
                requests_per_minute="60000",
                reports_database_url=f"{EmbeddedPostgres(data_dir).app_url}&{FOR_REPORTS}",
            )
        )
        anybody = await stack.enter_async_context(
            httpx.AsyncClient(base_url=hub.connection.api_url, trust_env=False, timeout=60)
        )
        one = Witness(hub, shop, anybody)
        await arrive(one)
        await tell(one)
        await send(one)
        await fail_beside(one, branch)
        await report(one)
        yield one.seen

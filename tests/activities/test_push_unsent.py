"""A create that never left the house is in no doubt."""

from dataclasses import replace

import pytest

from activities.stores import OpenStore
from domain.entities import Entity
from domain.errors import RateLimitedError, StoreError, StoreUnreachableError
from tests.activities.push_room import Opener, PushRoom
from tests.db.factories import product

PRODUCTS = Entity.PRODUCTS


class CountingOpener(Opener):
    """Counts a write for each call of `push` that the shop saw."""

    is_sent = False

    async def open(
        self, tenant_id: int, store_id: int, *, even_inactive: bool = False
    ) -> OpenStore:
        store = await super().open(tenant_id, store_id, even_inactive=even_inactive)
        numbers = iter((0, 1 if self.is_sent else 0))
        return replace(store, writes_sent=lambda: next(numbers))


@pytest.mark.parametrize(
    ("error", "is_sent", "is_doubtful"),
    [
        (RateLimitedError("the budget is spent", retry_after_s=9), False, False),
        (RateLimitedError("spent before it was read back", retry_after_s=9), True, True),
        (StoreUnreachableError("cut short"), True, True),
    ],
)
async def test_doubt_is_about_what_was_sent(
    room: PushRoom, error: StoreError, is_sent: bool, is_doubtful: bool
) -> None:
    room.opener = CountingOpener(room.shop, room.opener.manifest)
    room.opener.is_sent = is_sent
    await room.come_in(PRODUCTS, product("1"))
    room.shop.trouble.append((error, is_sent))
    with pytest.raises(type(error)):
        await room.drain()
    assert await room.rows("attempts, creating_since is not null") == [(0, is_doubtful)]
    looked = len(room.shop.lookups)
    room.opener.is_sent = True
    moved = await room.drain(1)
    assert (moved > 0, len(room.shop.lookups) > looked) == (not is_doubtful, not is_doubtful)
    assert room.titles() == ["Product 1"]

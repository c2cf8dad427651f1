from dataclasses import replace

from db.session import Database
from domain.entities import Entity
from tests.db.factories import product, variant
from tests.db.room import Room

PLANS = (
    "select generic_plans, custom_plans from pg_prepared_statements"
    " where statement like '%insert into product_variants%'"
)


async def test_a_connection_plans_what_writes_a_page_once(app_url: str, room: Room) -> None:
    database = Database(app_url, pool_size=1)
    alone = replace(room, database=database)
    for key in ("1", "2", "3"):
        await alone.take(Entity.PRODUCTS, product(key, variant(key)))
    plans = await alone.rows(PLANS)
    await database.close()
    assert plans == [(3, 0)]

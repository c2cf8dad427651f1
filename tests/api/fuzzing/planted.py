"""Two tenants with one of everything: a caller's, and one whose things the caller must not see."""

from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import text

from api.app import describe_api
from db.session import Database
from domain.differences import Difference
from domain.entities import Entity
from domain.pages import Pulled
from domain.records import Category, Customer, Order, Product, Record, Variant
from domain.statuses import OrderStatus, ProductStatus, SyncStatus
from tests.api.hub import Caller, Hub, connect
from tests.api.runs import begin, begin_dry, end
from tests.api.test_alerts import alarm
from tests.api.test_conflicts import dispute

MARK = "zq7stranger"
"""In every text of the second tenant, and nowhere else."""

SECRET = "planted_secret_4d1f"
"""In every secret of both."""

_SCENES = count()
"""Each is among numbers of its own, in the same tables."""

_SEQUENCES = """
select quote_ident(relname) from pg_class
where relkind = 'S' and relnamespace = 'public'::regnamespace
"""
_LISTS = (
    "categories",
    "products",
    "customers",
    "orders",
    "warehouses",
    "invoices",
    "conflicts",
    "alerts",
    "keys",
)


@dataclass(frozen=True)
class Planted:
    """What a tenant has. `ids` are by the word that stands before them in a path."""

    caller: Caller
    ids: dict[str, list[int]]
    workflow_ids: list[str]
    webhook_codes: list[str]
    cursors: dict[str, str]

    async def shown(self) -> dict[str, Any]:
        """Everything the caller is shown of what it has, by path."""
        answers = {path: await self.caller.get(f"/api/{path}") for path in ("stores", *_LISTS)}
        return {path: answer.json() for path, answer in answers.items()}


@dataclass(frozen=True)
class Two:
    """A caller's tenant, and one whose things the caller must not see."""

    own: Planted
    strangers: Planted


async def plant_two(hub: Hub) -> Two:
    """Both; ids of one are far from those of the other."""
    # The caller's own key has an id that no request has: nobody takes it from the caller.
    scene = 100_000 * next(_SCENES)
    await count_from(hub.owner, 9_900_000_000 + scene)
    caller = await hub.new_caller()
    await count_from(hub.owner, 4_100_000 + scene)
    own = await plant(hub, caller, "own")
    await count_from(hub.owner, 7_700_000_000 + scene)
    return Two(own, await plant(hub, await hub.new_caller(), MARK))


async def count_from(owner: Database, first: int) -> None:
    """Whatever is made from here on has ids from `first` on."""
    async with owner.lookup() as connection:
        for name in (await connection.execute(text(_SEQUENCES))).scalars().all():
            await connection.execute(text(f"alter sequence {name} restart with {first}"))


def records(word: str) -> dict[Entity, Record]:
    """One of each kind, with the word in its texts."""
    return {
        Entity.CATEGORIES: Category(name=f"Tea {word}"),
        Entity.CUSTOMERS: Customer(email=f"{word}@example.com", first_name=word),
        Entity.PRODUCTS: Product(
            title=f"Cup {word}",
            status=ProductStatus.ACTIVE,
            currency="LKR",
            variants=(Variant(external_id="5", sku=f"SKU-{word}", price=3),),
        ),
        Entity.ORDERS: Order(
            number=f"1-{word}", status=OrderStatus.PENDING, currency="LKR", total=1
        ),
    }


async def plant(hub: Hub, caller: Caller, word: str) -> Planted:
    """Two stores of the caller, with one of everything that has an id."""
    stores = [await _store(hub, caller, word, slug) for slug in ("testshop", "woocommerce")]
    workflow_ids = [f"import/{one}" for one in stores]
    await dispute(hub, caller, stores[0])
    for store_id in stores:
        await _fill(hub, caller, store_id, word)
        change = Difference(
            "pull", "products", "1", "updated", fields={"title": {"from": word, "to": word}}
        )
        workflow_ids.append(await begin_dry(hub, caller, store_id, change))
    await _write(caller, word)
    ids = {"stores": stores}
    for name in _LISTS:
        listed = (await caller.get(f"/api/{name}")).json()["data"]
        # Not the caller's own key, which would end what it was made for.
        ids[name] = [one["id"] for one in listed if one.get("permissions") != ["*"]]
        assert listed, name
    found = await hub.execute(caller.tenant, "select id from product_variants order by id")
    ids["variants"] = [variant_id for (variant_id,) in found]
    codes = await hub.execute(caller.tenant, "select webhook_code from stores")
    events = await hub.execute(caller.tenant, "select id from webhook_events")
    ids["webhook-events"] = [event_id for (event_id,) in events]
    return Planted(
        caller, ids, workflow_ids, [code for (code,) in codes], await _cursors(caller, stores[0])
    )


async def _cursors(caller: Caller, store_id: int) -> dict[str, str]:
    """The cursor behind the first thing of each listing that has more than one, by its path."""
    cursors = {}
    for path, methods in describe_api("1")["paths"].items():
        names = {one["name"] for one in methods.get("get", {}).get("parameters", ())}
        if "cursor" in names and "{workflow_id}" not in path:
            url = path.replace("{store_id}", str(store_id))
            page = (await caller.get(url, params={"limit": 1})).json()
            if page["nextCursor"] is not None:
                cursors[path] = page["nextCursor"]
    return cursors


async def _store(hub: Hub, caller: Caller, word: str, slug: str) -> int:
    config = {
        "storeUrl": f"https://{word}.example",
        "consumerKey": f"ck_{SECRET}",
        "consumerSecret": f"cs_{SECRET}",
        "webhookSecret": f"whsec_{SECRET}",
    }
    return await connect(caller, f"{word}-{slug}", name=word, provider=slug, config=config)


async def _fill(hub: Hub, caller: Caller, store_id: int, word: str) -> None:
    for entity, record in records(word).items():
        await hub.take_in(caller.tenant, store_id, entity, Pulled("1", record))
    await alarm(hub, caller, store_id, subject=f"lane/{word}/{store_id}")
    run_id = await begin(hub, caller, store_id)
    await end(hub, caller, store_id, run_id, SyncStatus.FAILED)
    await hub.execute(caller.tenant, "update store_sync_logs set error_message = :word", word=word)
    await hub.execute(
        caller.tenant,
        "insert into webhook_events (tenant_id, store_id, event_type, topic, entity, route, body,"
        " received_at, status) values (:owner, :store, 'order_created', 'order.created',"
        " 'orders', 'generic', :body, now(), 'failed')",
        owner=caller.tenant.id,
        store=store_id,
        body=f'{{"id": 1, "note": "{word}"}}'.encode(),
    )


async def _write(caller: Caller, word: str) -> None:
    warehouse = await caller.post("/api/warehouses", json={"name": f"Barn {word}", "code": word})
    assert warehouse.status_code == 201, warehouse.text
    made = await caller.post(
        "/api/products",
        json={"title": f"Pot {word}", "currency": "LKR", "variants": [{"quantity": 5}]},
    )
    line = {"variantId": made.json()["variants"][0]["id"], "quantity": 1}
    alerts = {"kind": "webhook", "url": f"https://{word}.example/", "secret": SECRET}
    for method, path, body in (
        ("POST", "inventory/movements", {**line, "kind": "receipt"}),
        ("POST", "invoices", {"number": f"1-{word}", "lines": [line]}),
        ("POST", "keys", {"name": word, "permissions": ["stores:read"]}),
        ("PUT", "alert-channels", {"channels": [{"name": word, "config": alerts}]}),
    ):
        answer = await caller.send(method, f"/api/{path}", json=body)
        assert answer.status_code in {200, 201}, answer.text

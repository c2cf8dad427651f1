"""One shop is one store of a tenant. Connected twice it would be sent its own records as new ones.

What makes a shop: its address, scheme and `www.` apart. Where the keys go to another address than
the shop's, as one API for all shops, the key is the shop's name too: its address is only typed in.
"""

import hmac
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection

from api.connection_form import Form, is_same_shop, shop_keys
from api.problems import CONFLICT, FieldProblem, ProblemError
from api.schemas.stores import UpdateStoreBody
from api.services import ApiServices
from db.crypto import store_context
from db.shops import Shop, list_shops
from db.stores import Store
from domain.errors import SecretError
from providers._kit.protocols import Provider

_POINTER = "/config/storeUrl"


async def find_former(
    services: ApiServices, connection: AsyncConnection, provider: Provider, form: Form, url: str
) -> Shop | None:
    """The deleted store that the shop at `url` was; None where it is new.

    Raises:
        ProblemError: 409, the shop is a store of the tenant.
    """
    shops = await list_shops(connection, provider.manifest.slug)
    for one in shops:
        is_there = is_same_shop(one.store_url, url)
        if not one.is_deleted and (is_there or _has_same_key(services, provider, one, form)):
            raise _connected(one)
    return next((one for one in shops if one.is_deleted and is_same_shop(one.store_url, url)), None)


@dataclass(frozen=True, slots=True)
class Change:
    """A store's connection, and what it is to become. `before` is the form as it was kept."""

    provider: Provider
    store: Store
    before: bytes
    form: Form


async def refuse_another(
    services: ApiServices, connection: AsyncConnection, change: Change, url: str
) -> None:
    """A store may become no other store, nor a deleted one whose records are here: they would come
    in a second time. What stays as it is, is not looked at.

    Raises:
        ProblemError: 409.
    """
    provider, store, form = change.provider, change.store, change.form
    is_moved = not is_same_shop(store.store_url, url)
    is_rekeyed = shop_keys(provider, change.before) != shop_keys(provider, form.plain)
    if not is_moved and not is_rekeyed:
        return
    for one in await list_shops(connection, provider.manifest.slug):
        if one.store_id == store.id:
            continue
        is_there = is_moved and is_same_shop(one.store_url, url)
        if not one.is_deleted and (
            is_there or (is_rekeyed and _has_same_key(services, provider, one, form))
        ):
            raise _connected(one)
        if one.is_deleted and one.has_records and is_there:
            raise _problem(
                f"The shop at {url} was store {one.store_id}, which is deleted, and whose records "
                f"are here. Delete store {store.id} and connect the shop with POST /api/stores: "
                f"it becomes store {one.store_id} again, and nothing comes in twice."
            )


def refuse_other_shop(
    store: Store, new_url: str, body: UpdateStoreBody, *, is_imported: bool
) -> None:
    """The ids of one shop mean nothing in another: its records would be mixed with the first's.

    Raises:
        ProblemError: 409.
    """
    if not is_imported or body.store_moved or is_same_shop(new_url, store.store_url):
        return
    raise ProblemError(
        CONFLICT,
        f"Store {store.id} was imported from {store.store_url}. For another shop, connect a store "
        "of its own with POST /api/stores. If the same shop has a new address, send "
        '"storeMoved": true with this change.',
    )


def _has_same_key(services: ApiServices, provider: Provider, one: Shop, form: Form) -> bool:
    wanted = shop_keys(provider, form.plain)
    if wanted is None or one.sealed is None:
        return False
    try:
        plain = services.secrets.open(one.sealed, context=store_context(one.store_id))
    except SecretError:
        # Whose master key is lost cannot be compared; its address was.
        return False
    return hmac.compare_digest(shop_keys(provider, plain) or b"", wanted)


def _connected(one: Shop) -> ProblemError:
    change = f"PATCH /api/stores/{one.store_id}"
    again = (
        f"import it again with POST /api/stores/{one.store_id}/import"
        if one.is_active
        else f"activate it with PATCH /api/stores/{one.store_id}/activate"
    )
    return _problem(
        f"This shop is store {one.store_id} already. Change that store with {change}, or {again}."
    )


def _problem(detail: str) -> ProblemError:
    told = FieldProblem(pointer=_POINTER, detail="It is the address of another store.")
    return ProblemError(CONFLICT, detail, errors=[told])

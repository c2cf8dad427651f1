"""Stores and clients for the EasyOrder tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from providers._kit.http import StoreSession
from providers._kit.protocols import StoreFacts
from providers.easyorder.client import EasyOrderClient
from providers.easyorder.config import EasyOrderConfig
from sandbox.easyorder.app import BASE, Sandbox, create_app
from sandbox.easyorder.seed import Row, StoreSeed
from sandbox.easyorder.shop import Behaviour, Store
from tests.providers.fake_store import Answering, FakeStore

URL = "https://store.example/store/mine"
API = f"https://api.example{BASE}"
KEY = "eo_0123456789abcdef"
NOW = 1_795_000_000.0


class Clock:
    """Stands still until told."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def config(**fields: Any) -> EasyOrderConfig:
    return EasyOrderConfig.model_validate({"storeUrl": URL, "apiKey": KEY, "apiUrl": API, **fields})


def facts() -> StoreFacts:
    return StoreFacts(store_url=URL, currency="EGP")


def faked(answering: Answering, **fields: Any) -> tuple[EasyOrderClient, FakeStore]:
    store = FakeStore(answering)
    return EasyOrderClient(config(**fields), store.session()), store


@dataclass
class Visit:
    """A sandbox store without a socket, and a client of the provider."""

    box: Sandbox
    clock: Clock
    session: StoreSession

    @property
    def store(self) -> Store:
        return self.box.store

    def client(self, **fields: Any) -> EasyOrderClient:
        return EasyOrderClient(config(**fields), self.session)

    def rows(self, table: str) -> list[Row]:
        return list(self.store.tables[table].values())

    def with_variants(self) -> Row:
        return next(row for row in self.rows("products") if row["variants"])

    def simple(self) -> Row:
        return next(row for row in self.rows("products") if not row["variants"])

    @property
    def asked(self) -> list[str]:
        return [
            f"{one['method']} {one['path'].removeprefix(BASE)}" for one in self.box.journal.log()
        ]


@asynccontextmanager
async def visiting(
    seed: StoreSeed | None = None, *, limited: bool = False, **behaviour: Any
) -> AsyncIterator[Visit]:
    clock = Clock()
    how = Behaviour(**{"requests_per_minute": 40 if limited else 100_000, **behaviour})
    store = Store(seed or StoreSeed(products=12, categories=4), clock, how)
    box = Sandbox(store, KEY, "t")
    session = StoreSession(httpx.ASGITransport(create_app(box)))
    yield Visit(box, clock, session)

"""A store on a real socket."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace

from sandbox.easyorder.app import BASE, Sandbox, create_app
from sandbox.easyorder.seed import StoreSeed
from sandbox.easyorder.shop import Behaviour, Store
from sandbox.server import listen, port_of, running


@dataclass(frozen=True, slots=True)
class Ready:
    """A store that answers: the ready line. `api_url` is what a connection takes as API URL."""

    url: str
    api_url: str
    api_key: str = field(repr=False)
    token: str = field(repr=False)

    def as_dict(self) -> dict[str, str]:
        """What the ready line says."""
        return asdict(self)


@asynccontextmanager
async def serving(
    seed: StoreSeed | None = None,
    behaviour: Behaviour | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    api_key: str = "",
    token: str = "",
) -> AsyncIterator[tuple[Ready, Sandbox]]:
    """A served store and what watches it, for as long as the context is open."""
    bound = listen(host, port)
    url = f"http://{host}:{port_of(bound)}"
    store = Store(seed or StoreSeed(), behaviour=replace(behaviour or Behaviour()))
    made_key = f"eo_{store.random.getrandbits(160):040x}"
    box = Sandbox(store, api_key or made_key, token or secrets.token_urlsafe(24))
    async with running(create_app(box), bound):
        yield Ready(url, f"{url}{BASE}", box.api_key, box.token), box

"""The sandbox shop of an embedded hub: the same shop at the same address on every run."""

import secrets
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from runtime.embedded.child import EmbeddedError, Program
from runtime.embedded.hub import child_environment
from runtime.embedded.ports import HOST, choose_port
from runtime.embedded.private_files import read_private, write_private
from runtime.embedded.programs import EmbeddedProgram

PROVIDER: Final = "woocommerce"
CURRENCY: Final = "EUR"
SHOP_FILE: Final = "sandbox.json"
SEED: Final = 1
PRODUCTS = ORDERS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopSize:
    """What a shop is filled with; None keeps what it was."""

    products: int | None = None
    orders: int | None = None
    seed: int | None = None


class SandboxShop(BaseModel):
    """A shop, its keys, and the token of its control API."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    port: int
    products: int
    orders: int
    seed: int
    consumer_key: str = Field(repr=False)
    consumer_secret: str = Field(repr=False)
    token: str = Field(repr=False)

    @classmethod
    def prepare(cls, data_dir: Path, size: ShopSize) -> Self:
        """The shop of `data_dir`, made on first use, brought to this size, and kept.

        Raises:
            EmbeddedError: its file is damaged.
        """
        path = data_dir / SHOP_FILE
        kept = read_private(path) or {
            "products": PRODUCTS,
            "orders": ORDERS,
            "seed": SEED,
            "consumer_key": f"ck_{secrets.token_hex(20)}",
            "consumer_secret": f"cs_{secrets.token_hex(20)}",
            "token": secrets.token_urlsafe(24),
        }
        asked = {"products": size.products, "orders": size.orders, "seed": size.seed}
        kept |= {name: value for name, value in asked.items() if value is not None}
        kept["port"] = choose_port(kept.get("port"))
        try:
            shop = cls.model_validate(kept)
        except ValidationError:
            raise EmbeddedError(f"{path} is not what it was written as: remove it") from None
        write_private(path, shop.model_dump())
        return shop

    @property
    def url(self) -> str:
        """The shop's address, which is also what its signatures are made for."""
        return f"http://{HOST}:{self.port}"

    @property
    def form(self) -> dict[str, str]:
        """The connection form, filled in."""
        return {
            "storeUrl": self.url,
            "consumerKey": self.consumer_key,
            "consumerSecret": self.consumer_secret,
        }

    def control(self) -> httpx.AsyncClient:
        """A client of the shop's control API."""
        return httpx.AsyncClient(
            base_url=f"{self.url}/_sandbox/",
            headers={"X-Sandbox-Token": self.token},
            trust_env=False,
            timeout=60,
        )

    def program(self, data_dir: Path) -> EmbeddedProgram:
        """The shop as a service."""
        return EmbeddedProgram(
            "sandbox",
            Program(
                argv=(
                    *(sys.executable, "-m", "runtime.cli.sandbox_process"),
                    str(data_dir.absolute() / SHOP_FILE),
                ),
                log=data_dir.absolute() / "logs" / "sandbox.log",
                env=child_environment({}),
                cwd=data_dir,
            ),
            is_ready=lambda: _answers(f"{self.url}/wp-json/"),
        )


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False

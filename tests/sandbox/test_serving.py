import asyncio
import json
import ssl
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from sandbox.woocommerce.seed import ShopSeed
from sandbox.woocommerce.serving import Address, serving
from tests.sandbox.client import API, oauth_query


async def test_process_says_it_is_ready_and_ends_when_told(tmp_path: Path) -> None:
    arguments = [
        *("--port", "0", "--https-port", "0", "--ca-dir", str(tmp_path), "--products", "20"),
        *("--orders", "10", "--key", "ck_mine", "--secret", "cs_mine", "--token", "t"),
    ]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sandbox.woocommerce", *arguments),
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    ready = json.loads(await process.stdout.readline())
    assert ready | {"url": "", "https_url": ""} == {
        "url": "",
        "https_url": "",
        "ca_file": str(tmp_path / "ca.pem"),
        "consumer_key": "ck_mine",
        "consumer_secret": "cs_mine",
        "token": "t",
    }
    trust = ssl.create_default_context(cafile=ready["ca_file"])
    url = f"{ready['url']}{API}/products"
    async with httpx.AsyncClient(verify=trust) as client:
        plain = await client.get(f"{url}?{oauth_query(url, '', ('ck_mine', 'cs_mine'))}")
        secure_url = ready["https_url"].replace("127.0.0.1", "localhost")
        secure = await client.get(f"{secure_url}{API}/products", auth=("ck_mine", "cs_mine"))
    assert plain.json() == secure.json()
    process.terminate()
    assert await process.wait() == 0
    assert (await process.stdout.read()) == b""


async def test_strangers_do_not_trust_the_test_authority(tmp_path: Path) -> None:
    address = Address(https_port=0, ca_dir=tmp_path)
    async with serving(ShopSeed(products=1, orders=0), address) as (ready, _):
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
                await client.get(f"{ready.https_url}/wp-json/")
        assert "consumer_secret" not in repr(ready)
        assert ready.token not in repr(ready)


async def test_https_without_a_place_for_its_files_is_refused() -> None:
    with pytest.raises(ValueError, match="https needs ca_dir"):
        async with serving(ShopSeed(products=1, orders=0), Address(https_port=0)):
            pass

"""Nothing that is secret is found where it does not belong, after a run through all of the hub."""

import base64
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from temporalio.client import Client

from providers._kit.registry import Registry
from runtime.embedded.connection import Connection, load_connection
from runtime.embedded.postgres import _install_dir
from runtime.settings import load_settings
from tests.e2e.shop import Shop, open_shop, running
from tests.e2e.visitor import Planted, Visitor, client_of, polled

KEY = "ck_planted5d41402abc4b2a76b9719d911017c592"
PLANTED = Planted(
    consumer_secret="cs_planted7d793037a0760186574b0282f2f435e7",
    webhook_secret="planted-webhook-secret-b2b1fe2a",
    wrong_consumer_secret="cs_mistaken9c1185a5c5e9fc54612808977ee8f548",
    wrong_api_secret="es_mistaken-c4ca4238a0b923820dcc509a",
    url_password="planted-password-77e0b1",
    easy_key="eo_planted0cc175b9c0f1b6a831c399e269772661",
    easy_secret="planted-easy-secret-92eb5ffee6",
    easy_status_secret="planted-easy-status-4a8a08f09d",
    wrong_easy_secret="mistaken-easy-secret-8277e0910d",
    mail_password="planted-mail-password-e1671797",
    channel_secret="planted-channel-secret-8fa14cdd",
)
STORE_NAME = "Shop with secrets"


async def test_no_secret_is_found_where_it_does_not_belong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_dir, output = tmp_path / "hub", tmp_path / "up.log"
    options = ("--products", "120", "--orders", "150", "--https-port", "0")
    credentials = ("--key", KEY, "--secret", PLANTED.consumer_secret)
    async with open_shop(*options, *credentials, "--ca-dir", str(tmp_path)) as shop:
        with _up(data_dir, output, shop):
            hub = await polled(lambda: _connection(data_dir), within_s=60)
            places, codes, made = await _use_everything(hub, shop)
            # Both channels of alerts have been tried.
            await polled(lambda: _told(data_dir, b"alert_not_told", 2), within_s=30)
            places |= await _histories(hub)
            places["dump"] = _dump(hub)
    logs = {one.name: one.read_bytes() for one in (output, *data_dir.glob("logs/*.log"))}
    stored = {one.name: one.read_bytes() for one in data_dir.glob("temporal.db*")}
    encryption_key = (data_dir / "encryption.key").read_text().strip()
    monkeypatch.setenv("ENTREPOT_DATABASE_URL", f"postgresql://me:{PLANTED.url_password}@db/x")
    monkeypatch.setenv("ENTREPOT_ENCRYPTION_KEY", encryption_key)
    shown = {
        "settings": repr(load_settings(env_file=None)),
        "config": _config(shop),
        "hub": repr(hub),
    }
    places |= logs | stored | {name: text.encode() for name, text in shown.items()}

    basic = base64.b64encode(f"{KEY}:{PLANTED.consumer_secret}".encode()).decode()
    secrets = {
        **{name: getattr(PLANTED, name) for name in PLANTED.__slots__},
        "consumer key": KEY,
        "Basic": basic,
        **made,
        "API secret": hub.api_secret,
        "encryption key": encryption_key,
    }
    assert _found(secrets, places) == set()
    assert _found(codes, logs) == set()

    # What must be there is found, so the search can find.
    controls = {"name": STORE_NAME, "provider": "woocommerce", "masked": "/webhooks/***"}
    assert _found(controls, places) >= {
        *(("name", place) for place in ("dump", "GET /api/stores", f"{STORE_NAME} secure")),
        *(("provider", place) for place in ("import/1", "pull/1/orders", "inbox/1")),
        ("provider", "temporal.db-wal"),
        ("masked", "api.log"),
    }
    assert any(place.startswith("push/") for place in places)
    assert all(logs[f"{name}.log"] for name in ("up", "api", "worker", "events"))


@contextmanager
def _up(data_dir: Path, output: Path, shop: Shop) -> Iterator[None]:
    """`entrepot up` as people start it, trusting the shop's certificate authority."""
    up = ("up", "--no-sandbox", "--port", "0", "--temporal-ui-port", "0")
    with (
        output.open("wb") as file,
        running(
            (sys.executable, "-m", "runtime.cli", *up, "--data-dir", str(data_dir)),
            output=file,
            ENTREPOT_CA_FILE=str(shop.ca_file),
            ENTREPOT_ALLOW_PRIVATE_ADDRESSES="true",
            ENTREPOT_RETRY_LADDER_S="0,0.1",
        ),
    ):
        yield


async def _connection(data_dir: Path) -> Connection | None:
    return load_connection(data_dir)


async def _told(data_dir: Path, what: bytes, times: int) -> bool | None:
    log = (data_dir / "logs" / "events.log").read_bytes()
    return True if log.count(what) >= times else None


@contextmanager
def _easy_store() -> Iterator[str]:
    """The API URL of a running EasyOrder store."""
    argv = ("-m", "sandbox.easyorder", "--port", "0", "--products", "2", "--key", PLANTED.easy_key)
    with running((sys.executable, *argv)) as process:
        assert process.stdout is not None
        yield str(json.loads(process.stdout.readline())["api_url"])


async def _use_everything(
    hub: Connection, shop: Shop
) -> tuple[dict[str, bytes], dict[str, str], dict[str, str]]:
    """The answers, the webhook codes, and the secrets that were made."""
    async with client_of(hub) as api:
        visitor = Visitor(shop, PLANTED, api)
        by_basic = {
            **shop.form,
            "storeUrl": shop.https_url,
            "webhookSecret": PLANTED.webhook_secret,
        }
        secure = await visitor.connect(STORE_NAME, "secure", by_basic, sync=True)
        await visitor.end_of(secure["id"], "success")
        signed = await visitor.connect("Signed", "signed", shop.form)
        visitor.answers.pop("Signed signed")  # the one answer that tells its secret
        await visitor.make_mistakes(secure["id"])
        await visitor.have_trouble(secure["id"])
        await visitor.read_all(secure["id"], secure["webhookCode"])
        with _easy_store() as api_url:
            easy_code = await visitor.connect_easy(api_url)
        signature = await visitor.send_webhook(secure["webhookCode"])
        await visitor.raise_alarm(secure["id"])
        mistakes = {name: n for name, n in visitor.statuses.items() if name.startswith("mistake")}
        assert len(mistakes) == 12
        assert min(mistakes.values()) >= 400, mistakes
        codes = {one["code"]: one["webhookCode"] for one in (secure, signed)}
        made = {"generated webhook secret": signed["webhookSecret"], "signature": signature}
        return visitor.answers, codes | {"easy": easy_code}, made


async def _histories(hub: Connection) -> dict[str, bytes]:
    """The raw events of every workflow: what a payload holds is in them as it is."""
    client = await Client.connect(hub.temporal_address)
    histories: dict[str, bytes] = {}
    async for one in client.list_workflows():
        handle = client.get_workflow_handle(one.id, run_id=one.run_id)
        events = [event async for event in handle.fetch_history_events()]
        raw = b"".join(event.SerializeToString() for event in events)
        histories[one.id] = histories.get(one.id, b"") + raw
    return histories


def _dump(hub: Connection) -> bytes:
    url = hub.database_url.replace("entrepot_app@", "postgres@")
    argv = (str(_install_dir() / "bin" / "pg_dump"), "--inserts", url)
    return subprocess.run(argv, check=True, capture_output=True).stdout


def _config(shop: Shop) -> str:
    form = {**shop.form, "webhookSecret": PLANTED.webhook_secret}
    return repr(Registry().get("woocommerce").config_model.model_validate(form))


def _found(values: Mapping[str, str], places: Mapping[str, bytes]) -> set[tuple[str, str]]:
    """(value, place) for every value that is in a place, written in any of the usual ways."""
    return {
        (name, place)
        for name, value in values.items()
        for needle in _spellings(value)
        for place, content in places.items()
        if needle in content
    }


def _spellings(value: str) -> set[bytes]:
    raw = value.encode()
    return {
        raw,
        quote(value, safe="").encode(),
        base64.b64encode(raw).rstrip(b"="),
        base64.urlsafe_b64encode(raw).rstrip(b"="),
        raw.hex().encode(),
    }

"""What `entrepot stores` does."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from runtime.cli.access import pick_store, with_api
from runtime.cli.api_client import ApiClient
from runtime.cli.connection_form import ask, complete, read_fields
from runtime.cli.errors import CliError
from runtime.cli.options import Asked
from runtime.cli.screen import console, say, show_json, show_table
from runtime.cli.syncs import watch_store
from runtime.failures import FAILED

_COLUMNS = ("id", "code", "name", "provider", "address", "sync", "trouble")


def add(asked: Asked, told: Mapping[str, Any], config: Sequence[str], *, is_json: bool) -> None:
    """Connect a store. Raises CliError."""
    fields = read_fields(config)

    async def work(api: ApiClient) -> Any:
        provider = await _pick_provider(api, told["provider"])
        name = told["name"] or ask("--name", {"title": "Name"})
        code = told["code"] or ask("--code", {"title": "Code"})
        form = complete(provider["configSchema"], fields)
        body = {"name": name, "code": code, "provider": provider["slug"], "config": form}
        return await api.post("/api/stores", {**body, "sync": told["sync"]})

    created = with_api(asked, work)
    if is_json:
        show_json(created)
        return
    say(f"Connected {created['name']} as store {created['id']} ({created['code']}).")
    if created["warning"]:
        say(created["warning"])
    elif created["workflowId"]:
        say(f"Importing it: `entrepot syncs watch {created['code']}` shows how far it is.")
    if created["webhookSecret"]:
        say(f"Webhook secret, shown only now: {created['webhookSecret']}")
    _show_webhooks(created)


async def _pick_provider(api: ApiClient, slug: str | None) -> Any:
    providers = (await api.get("/api/providers"))["data"]
    if slug is None and len(providers) == 1:
        return providers[0]
    for provider in providers:
        if provider["slug"] == slug:
            return provider
    slugs = ", ".join(provider["slug"] for provider in providers)
    raise CliError(f"say with --provider what kind of store it is, one of: {slugs}")


def show_all(asked: Asked, *, is_json: bool) -> None:
    """List the stores. Raises CliError."""

    async def work(api: ApiClient) -> list[Any]:
        return [store async for store in api.list_all("/api/stores")]

    stores = with_api(asked, work)
    if is_json:
        show_json(stores)
        return
    rows = [
        (
            *(one["id"], one["code"], one["name"], one["provider"], one["storeUrl"]),
            *(one["syncStatus"], one["lastSyncError"]),
        )
        for one in stores
    ]
    show_table(_COLUMNS, rows, numbers=("id",))


def show(asked: Asked, wanted: str, *, is_json: bool) -> None:
    """Show a store. Raises CliError."""

    async def work(api: ApiClient) -> Any:
        return await pick_store(api, wanted)

    store = with_api(asked, work)
    if is_json:
        show_json(store)
        return
    facts = store["facts"]
    rows = {
        "store": f"{store['name']} (id {store['id']}, code {store['code']})",
        "provider": f"{store['provider']} {facts['version']}".strip(),
        "address": store["storeUrl"],
        "currency": facts["currency"] or "-",
        "active": "yes" if store["isActive"] else "no",
        "sync": store["syncStatus"],
        "last try": store["lastSyncAttemptAt"] or "-",
        "trouble": store["lastSyncError"] or "-",
        "next try": store["nextRetryAt"] or "-",
    }
    out = console()
    for name, value in rows.items():
        out.print(Text(f"{name:<10}", style="bold") + Text(value, style="not bold"))
    _show_webhooks(store)


def _show_webhooks(store: Mapping[str, Any]) -> None:
    if not store["webhookUrlsReachable"]:
        say(f"Webhooks: {store['webhookUrlsUnreachableReason']}")
        return
    out = console()
    out.print()
    out.print(Text(store["instructions"]))


def test(asked: Asked, wanted: str) -> int:
    """Try a store's credentials; returns the exit code. Raises CliError."""

    async def work(api: ApiClient) -> Any:
        store = await pick_store(api, wanted)
        return await api.post(f"/api/stores/{store['id']}/test-connection")

    answer = with_api(asked, work)
    say(answer["message"])
    return 0 if answer["connected"] else FAILED


def start_import(asked: Asked, wanted: str | None, *, watch: bool) -> int:
    """Start an import; returns the exit code. Raises CliError."""

    async def work(api: ApiClient) -> int:
        store = await pick_store(api, wanted)
        started = await api.post(f"/api/stores/{store['id']}/import")
        running = " (it was running already)" if started["alreadyRunning"] else ""
        say(f"Importing {store['name']} as {started['workflowId']}{running}.")
        if started["temporalUiUrl"]:
            say(started["temporalUiUrl"])
        return await watch_store(api, store) if watch else 0

    return with_api(asked, work)

"""The control API below `/_sandbox/`: truth, log, operations, webhooks, faults, installing."""

import hmac
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from sandbox.easyorder import installing
from sandbox.easyorder.shop import MissingError, RefusedError
from sandbox.faults import Rule
from sandbox.wire import Reply, Request

if TYPE_CHECKING:
    from sandbox.easyorder.app import Sandbox

CONTROL_HEADER = "x-sandbox-token"


async def answer(box: "Sandbox", request: Request) -> Reply:
    """Answer a control request; 403 without the token."""
    given = request.headers.get(CONTROL_HEADER, "")
    if not box.token or not hmac.compare_digest(given.encode(), box.token.encode()):
        return _json({"error": f"send the token of the ready line as {CONTROL_HEADER}"}, 403)
    what = f"{request.method} {request.path.removeprefix('/_sandbox/').strip('/')}"
    try:
        data: Any = json.loads(request.body) if request.body else {}
        match what:
            case "POST drain":
                await box.courier.drained()
                return _json({})
            case "POST install":
                return _json(await installing.install(box, str(data["link"])))
            case "GET truth":
                entity = parse_qs(request.query)["entity"][0]
                return _json(list(box.store.tables[entity].values()))
        return _json(_act(box, what, data))
    except (ValueError, KeyError, TypeError, MissingError, RefusedError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)


def _act(box: "Sandbox", what: str, data: Any) -> Any:
    match what:
        case "GET log":
            return box.journal.log()
        case "DELETE log":
            box.journal.clear()
            return {}
        case "GET stats":
            live = {name: len(table) for name, table in box.store.tables.items()}
            limit = {"refused": box.limit.refused, "most": box.limit.most}
            return {"requests": box.journal.stats(), "live": live, "limit": limit}
        case "POST operations":
            return _operate(box, data)
        case "GET deliveries":
            return list(box.courier.sent)
        case "GET webhooks":
            return [asdict(one) for one in box.courier.webhooks]
        case "POST webhooks":
            return asdict(box.courier.add(data["kind"], data["url"]))
        case "GET behaviour" | "PATCH behaviour":
            return _behave(box, data)
        case "GET faults" | "POST faults" | "DELETE faults":
            return _change_faults(box, what, data)
    raise ValueError(f"no control route {what}")


def _operate(box: "Sandbox", data: Any) -> Any:
    store = box.store
    match data["op"]:
        case "order":
            return store.order(dict(data.get("data") or {}))
        case "status":
            return store.set_status(data["id"], data["status"])
        case "create":
            return store.create(data["entity"], dict(data["data"]))
        case "edit":
            return store.update(data["entity"], data["id"], dict(data["data"]))
        case "delete":
            store.delete(data["entity"], data["id"])
            return {}
    raise ValueError("op must be order, status, create, edit or delete")


def _behave(box: "Sandbox", data: Any) -> Any:
    how = box.store.behaviour
    for name, value in data.items():
        if type(getattr(how, name, None)) is not type(value):
            raise ValueError(f"{name}: known are {asdict(how)}")
        setattr(how, name, value)
    return asdict(how)


def _change_faults(box: "Sandbox", what: str, data: Any) -> Any:
    if what == "POST faults":
        for one in data if isinstance(data, list) else [data]:
            box.faults.rules.append(Rule.read(one))
    if what == "DELETE faults":
        box.faults.rules.clear()
    return {"rules": [rule.show() for rule in box.faults.rules]}


def _json(value: Any, status: int = 200) -> Reply:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(status, body, [("Content-Type", "application/json")])

"""The control API below `/_sandbox/`: truth, log, stats, operations, faults, webhooks."""

import hmac
from typing import TYPE_CHECKING, Any

from sandbox.faults import Rule
from sandbox.wire import Reply, Request
from sandbox.woocommerce import disorder, php
from sandbox.woocommerce.changes import ENTITIES, Churn, Hand
from sandbox.woocommerce.deliveries import Webhook
from sandbox.woocommerce.errors import RestError

if TYPE_CHECKING:
    from sandbox.woocommerce.app import Sandbox

CONTROL_HEADER = "x-sandbox-token"
_TRUTH_PAGE = 1000
_JSON = [("Content-Type", "application/json")]
_NDJSON = [("Content-Type", "application/x-ndjson")]
_CHURN_FIELDS = (*("entity", "edits", "additions", "deletions", "max_events", "id_pages", "seed"),)


async def answer(box: "Sandbox", request: Request) -> Reply:
    """Answer a control request; 403 without the token."""
    given = request.headers.get(CONTROL_HEADER, "")
    if not box.token or not hmac.compare_digest(given.encode(), box.token.encode()):
        return _json({"error": f"send the token of the ready line as {CONTROL_HEADER}"}, 403)
    what = f"{request.method} {request.path.removeprefix('/_sandbox/').strip('/')}"
    try:
        data: Any = php.load(request.body) if request.body else {}
        if what == "GET truth":
            return _truth(box, request)
        if what == "POST drain":
            await box.webhooks.courier.drained()
            return _json({})
        if what == "POST webhooks":
            return _json(await disorder.act(box.webhooks.courier, data))
        return _json(_act(box, what, data))
    except (ValueError, KeyError, TypeError, RestError) as error:
        return _json({"error": f"{type(error).__name__}: {error}"}, 400)


def _act(box: "Sandbox", what: str, data: Any) -> Any:
    match what:
        case "GET log":
            return box.journal.log()
        case "DELETE log":
            box.journal.clear()
            return {}
        case "GET stats":
            tables = {name: len(table.ids()) for name, table in box.shop.tables.items()}
            return {"requests": box.journal.stats(), "live": tables}
        case "POST operations":
            return _operate(box, data)
        case "GET deliveries":
            return list(box.webhooks.courier.sent)
        case "DELETE deliveries":
            box.webhooks.courier.sent.clear()
            return {}
        case "GET webhooks":
            return [_webhook(hook) for hook in box.webhooks.courier.webhooks.values()]
        case "GET keys":
            keys = box.shop.keys.all()
            return {k.permissions: [k.consumer_key, k.consumer_secret] for k in keys}
        case "GET faults" | "POST faults" | "DELETE faults":
            return _change_faults(box, what, data)
    raise ValueError(f"no control route {what}")


def _webhook(hook: Webhook) -> dict[str, Any]:
    names = ("id", "topic", "delivery_url", "status", "failures")
    return {name: getattr(hook, name) for name in names}


def _change_faults(box: "Sandbox", what: str, data: Any) -> dict[str, Any]:
    if what == "POST faults":
        for one in data if isinstance(data, list) else [data]:
            _add_fault(box, one)
    if what == "DELETE faults":
        box.faults.rules.clear()
        box.churns.clear()
    return _faults(box)


def _truth(box: "Sandbox", request: Request) -> Reply:
    params = php.parse_query(request.query)
    entity = str(params.get("entity") or "")
    if entity not in box.shop.tables:
        raise ValueError(f"entity must be one of {', '.join(box.shop.tables)}")
    bodies = [body for _, body in box.shop.truth_bodies(entity)]
    total = len(bodies)
    if "page" in params:
        size = int(str(params.get("per_page") or _TRUTH_PAGE))
        start = (int(str(params["page"])) - 1) * size
        bodies = bodies[start : start + size]
    headers = [*_NDJSON, ("X-Total", str(total))]
    return Reply(200, b"".join(body + b"\n" for body in bodies), headers)


def _operate(box: "Sandbox", data: Any) -> dict[str, Any]:
    entity, operation = data["entity"], data["op"]
    if entity not in ENTITIES:
        raise ValueError(f"entity must be one of {', '.join(ENTITIES)}")
    ids = [int(record_id) for record_id in data.get("ids") or []]
    if ids or operation == "restore":
        for record_id in ids:
            _operate_on(box, entity, operation, record_id, data)
        return {"ids": ids}
    hand = Hand(box.shop, int(data.get("seed", box.shop.tables[entity].version)))
    count = int(data.get("count", 1))
    match operation:
        case "edit":
            return {"ids": hand.edit(entity, count)}
        case "create":
            return {"ids": hand.create(entity, count, data.get("data"))}
        case "trash":
            return {"ids": hand.trash(entity, count)}
        case "delete":
            return {"ids": hand.delete(entity, count)}
    raise ValueError("op must be edit, create, trash, restore or delete")


def _operate_on(box: "Sandbox", entity: str, operation: str, record_id: int, data: Any) -> None:
    shop = box.shop
    match operation:
        case "edit":
            shop.edit(entity, record_id, dict(data["data"]))
        case "trash":
            shop.trash(entity, record_id)
        case "delete":
            shop.delete(entity, record_id)
        case "restore":
            shop.restore(entity, record_id, data.get("status", ""))
        case _:
            raise ValueError("with ids, op must be edit, trash, restore or delete")


def _add_fault(box: "Sandbox", data: Any) -> None:
    if data.get("kind") != "churn":
        box.faults.rules.append(Rule.read(data))
        return
    members = {name: value for name, value in data.items() if name != "kind"}
    if members.get("entity") not in ENTITIES or set(members) - set(_CHURN_FIELDS):
        raise ValueError(f"churn takes {_CHURN_FIELDS}; entity one of {', '.join(ENTITIES)}")
    churn = Churn(**members)
    box.churns.append((churn, Hand(box.shop, churn.seed)))


def _faults(box: "Sandbox") -> dict[str, Any]:
    fields = (*_CHURN_FIELDS, "events", "edited", "added", "deleted")
    churns = [{name: getattr(churn, name) for name in fields} for churn, _ in box.churns]
    return {"rules": [rule.show() for rule in box.faults.rules], "churns": churns}


def _json(value: Any, status: int = 200) -> Reply:
    return Reply(status, php.dump(value), list(_JSON))

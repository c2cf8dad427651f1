"""Webhooks: subscriptions over REST. The queue that delivers them is in `deliveries`."""

from typing import Any

from sandbox.wire import Reply
from sandbox.woocommerce import php
from sandbox.woocommerce.deliveries import HOOKS, Courier, Webhook
from sandbox.woocommerce.errors import RestError, missing_param
from sandbox.woocommerce.lists import paged
from sandbox.woocommerce.params import read
from sandbox.woocommerce.php import Document, Param
from sandbox.woocommerce.routes import Route
from sandbox.woocommerce.shop import Shop
from sandbox.woocommerce.writing import check_one_of

_STATUSES = ("all", "active", "paused", "disabled")


class Webhooks:
    """The webhooks of a shop."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop
        self._next_id = 1
        self.courier = Courier(shop)

    @property
    def _all(self) -> dict[int, Webhook]:
        return self.courier.webhooks

    def answer(
        self, route: Route, action: str, data: Document, params: dict[str, Param], url: str
    ) -> Reply:
        """Answer a request below `/webhooks`."""
        self.courier.wake()
        match action:
            case "list":
                return self._list(params, url)
            case "create":
                made = self._create(data)
                headers = [("Location", f"{url}/{made.id}")]
                return Reply(201, php.dump(made.document(url)), headers)
            case "batch":
                return self._batch(data, url.removesuffix("/batch"))
        collection = url.rsplit("/", 1)[0] if action in ("get", "update", "delete") else url
        collection = collection if collection.endswith("/webhooks") else url
        if action == "get":
            return Reply(200, php.dump(self._find(route.record_id, 404).document(collection)))
        if action == "update":
            changed = self._update(route.record_id, data)
            return Reply(200, php.dump(changed.document(collection)))
        force = str(data.get("force", params.get("force", ""))).lower() in ("1", "true")
        return Reply(200, php.dump(self._delete(route.record_id, force).document(collection)))

    def _list(self, params: dict[str, Param], url: str) -> Reply:
        query = read("webhooks", params)
        status = query.filters.get("status", "all")
        check_one_of("status", status, _STATUSES)
        found = [hook for hook in self._all.values() if status in ("all", hook.status)]
        found.sort(key=lambda hook: hook.id, reverse=query.order == "desc")
        page = found[query.start : query.start + query.per_page]
        body = php.dump([hook.document(url) for hook in page])
        return paged(body, len(found), query, query.link, url)

    def _create(self, data: Document) -> Webhook:
        missing = [name for name in ("topic", "delivery_url") if not data.get(name)]
        if missing:
            raise missing_param(*missing)
        topic, target = str(data["topic"]), str(data["delivery_url"])
        _check_topic(topic)
        _check_target(target)
        status = str(data.get("status") or "active")
        check_one_of("status", status, _STATUSES[1:])
        hook = Webhook(
            id=self._next_id,
            name=str(data.get("name") or f"Webhook created on {topic}"),
            topic=topic,
            delivery_url=target,
            # Without one the shop makes a secret that nobody can ever read (measured).
            secret=str(data.get("secret") or f"generated-{self._next_id}-{self._shop.now()}"),
            created=self._shop.now(),
            status=status,
        )
        self._next_id += 1
        self._all[hook.id] = hook
        if status == "active":
            self.courier.ping(hook)
        return hook

    def _update(self, webhook_id: int, data: Document) -> Webhook:
        hook = self._find(webhook_id, 400)
        if "topic" in data:
            _check_topic(str(data["topic"]))
            hook.topic = str(data["topic"])
        if "delivery_url" in data:
            _check_target(str(data["delivery_url"]))
            hook.delivery_url = str(data["delivery_url"])
        hook.name = str(data.get("name") or hook.name)
        hook.secret = str(data.get("secret") or hook.secret)
        if "status" in data:
            check_one_of("status", data["status"], _STATUSES[1:])
            hook.status = str(data["status"])
            hook.failures = 0
        hook.modified = self._shop.now()
        if hook.status == "active" and hook.ping_due:
            self.courier.ping(hook)
        return hook

    def _delete(self, webhook_id: int, force: bool) -> Webhook:
        hook = self._find(webhook_id, 404)
        if not force:
            message = "Webhooks do not support trashing."
            raise RestError("woocommerce_rest_trash_not_supported", message, 501)
        return self._all.pop(hook.id)

    def _find(self, webhook_id: int, status: int) -> Webhook:
        hook = self._all.get(webhook_id)
        if hook is None:
            raise RestError("woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.", status)
        return hook

    def _batch(self, data: Document, url: str) -> Reply:
        sizes = sum(len(data.get(name) or []) for name in ("create", "update", "delete"))
        if sizes > 100:
            message = "Unable to accept more than 100 items for this request."
            raise RestError("woocommerce_rest_request_entity_too_large", message, 413)
        answer: dict[str, list[Any]] = {}
        for item in data.get("create") or []:
            done = self._try(0, url, lambda i=item: self._create(i))
            answer.setdefault("create", []).append(done)
        for item in data.get("update") or []:
            number = int(item.get("id") or 0)
            done = self._try(number, url, lambda i=item, n=number: self._update(n, i))
            answer.setdefault("update", []).append(done)
        for number in data.get("delete") or []:
            done = self._try(int(number), url, lambda n=int(number): self._delete(n, force=True))
            answer.setdefault("delete", []).append(done)
        return Reply(200, php.dump(answer))

    def _try(self, webhook_id: int, url: str, act: Any) -> Document:
        try:
            hook: Webhook = act()
        except RestError as error:
            return {"id": webhook_id, "error": error.body()}
        return hook.document(url)


def _check_topic(topic: str) -> None:
    if topic not in HOOKS and not topic.startswith(("action.woocommerce_", "action.wc_")):
        message = "Webhook topic must be valid."
        raise RestError("woocommerce_rest_webhook_invalid_topic", message, 400)


def _check_target(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        message = "Webhook delivery URL must be a valid URL starting with http:// or https://."
        raise RestError("woocommerce_rest_webhook_invalid_delivery_url", message, 400)

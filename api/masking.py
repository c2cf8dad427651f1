"""Bodies of webhooks as people may see them: never a secret, personal data only who may read it."""

import json
import re
from typing import Any, Final

HIDDEN: Final = "***"

_SECRET: Final = re.compile(
    r"secret|token|passw|signature|authorization|cookie|nonce|api_?key|order_?key|consumer_?key"
    r"|private_?key|card|cvv|iban|transaction_?id",
    re.IGNORECASE,
)
_PERSONAL: Final = re.compile(
    r"^(?:first|last|full|user|nick|display|customer|buyer|recipient|company)_?name$"
    r"|^(?:customer|buyer)_?note$|^note$|^username$|^company$|^state$|^city$|^government$"
    r"|mail|phone|mobile|whatsapp|address|street|post_?code|^zip|avatar|birth|gender|passport"
    r"|national_?id|(?:^|_)ip(?:_|$)|user_?agent|latitude|longitude",
    re.IGNORECASE,
)
_OF_A_PERSON: Final = frozenset({"billing", "shipping", "customer", "buyer", "recipient"})
# Some shops tell a line's meta data twice, the second time as it is shown to people.
_KEYS: Final = ("key", "display_key")
_VALUES: Final = ("value", "display_value")
_DEEPEST: Final = 30


def shown(body: bytes, *, with_personal_data: bool) -> Any:
    """A body as JSON without what may not be seen.

    A body that is not JSON cannot be told apart: it is shown as text to who may see personal data,
    and hidden otherwise.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", "replace") if with_personal_data else HIDDEN
    return _masked(value, "", with_personal_data, 0)


def shown_value(path: str, value: Any, *, with_personal_data: bool) -> Any:
    """The value of a record's field, by its path, without what may not be seen."""
    first, _, rest = path.partition(".")
    if rest and first in _OF_A_PERSON and not with_personal_data:
        return HIDDEN if value else value
    return _masked(value, path.rpartition(".")[2], with_personal_data, 0)


def _masked(value: Any, name: str, personal: bool, depth: int) -> Any:
    if depth > _DEEPEST or _is_hidden(name, personal):
        return HIDDEN if value not in (None, "", [], {}) else value
    if isinstance(value, dict):
        hides = not personal and name.lower() in _OF_A_PERSON
        if hides:
            return {key: HIDDEN if inner else inner for key, inner in value.items()}
        names = [value.get(one) for one in _KEYS] if "value" in value else []
        if any(isinstance(one, str) and _is_hidden(one.lstrip("_"), personal) for one in names):
            value = {**value, **{one: HIDDEN for one in _VALUES if one in value}}
        return {key: _masked(inner, key, personal, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked(inner, name, personal, depth + 1) for inner in value]
    return value


def _is_hidden(name: str, personal: bool) -> bool:
    return bool(_SECRET.search(name)) or (not personal and bool(_PERSONAL.search(name)))

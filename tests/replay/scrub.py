"""Taking out of a history what tells of the machine it was recorded on."""

import base64
import json
import re
from typing import Any

from temporalio.client import WorkflowHistory

_ADDRESS = re.compile(r"127\.0\.0\.1:\d+")
_WORKER = re.compile(r"^\d+@")
_SHOP = "shop.example"


def scrubbed(history: WorkflowHistory) -> str:
    """The history as JSON, the same on every machine but for ids and times."""
    content = _clean(history.to_json_dict())
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _clean(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _clean(one, name) for name, one in value.items() if name != "stackTrace"}
    if isinstance(value, list):
        return [_clean(one, key) for one in value]
    if not isinstance(value, str):
        return value
    if key == "identity" or _WORKER.match(value):
        return "worker"
    if key == "data":
        plain = base64.b64decode(value).decode()
        return base64.b64encode(_ADDRESS.sub(_SHOP, plain).encode()).decode()
    return _ADDRESS.sub(_SHOP, value)

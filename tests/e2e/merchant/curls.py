"""The commands of the document's testing section, word for word, and what they ask for.

Only host, port and token are others when they are run.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

CONNECTION: Final = "curl -X GET http://localhost:4000/api/woocommerce-sync/connection/test"
FULL_SYNC: Final = """
curl -X POST http://localhost:4000/api/woocommerce-sync/sync/full \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN" \\
  -d '{"direction": "pull", "force": true, "batchSize": 10}'
"""
STATUS: Final = """
curl -X GET http://localhost:4000/api/woocommerce-sync/status \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN"
"""
WEBHOOK: Final = """
curl -X POST http://localhost:4000/api/woocommerce-sync/webhook/test \\
  -H "Content-Type: application/json" \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN" \\
  -d '{
    "event": "product.updated",
    "data": {
      "id": 123,
      "name": "Test Product",
      "stock_quantity": 50
    }
  }'
"""
FAILED: Final = """
curl -X GET http://localhost:4000/api/woocommerce-sync/history?event_type=failed \\
  -H "Authorization: Bearer YOUR_JWT_TOKEN"
"""

_HOST: Final = "http://localhost:4000"
_TOKEN: Final = "YOUR_JWT_TOKEN"


@dataclass(frozen=True, slots=True)
class Curl:
    """What a command sends."""

    method: str
    path: str
    headers: Mapping[str, str]
    content: bytes | None

    @classmethod
    def read(cls, command: str, *, token: str) -> "Curl":
        """Read a command; `token` takes the place of the document's."""
        words = shlex.split(command.replace("\\\n", " ").replace(_TOKEN, token))
        assert words.pop(0) == "curl"
        method, path, content = "GET", "", None
        headers: dict[str, str] = {}
        while words:
            match words.pop(0):
                case "-X":
                    method = words.pop(0)
                case "-H":
                    name, _, value = words.pop(0).partition(": ")
                    headers[name] = value
                case "-d":
                    content = words.pop(0).encode()
                case url:
                    path = url.removeprefix(_HOST)
        return cls(method, path, headers, content)

    @property
    def body(self) -> Any:
        """What it sends, as JSON; None for nothing."""
        return None if self.content is None else json.loads(self.content)

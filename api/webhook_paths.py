"""Which paths take what shops send: signed by the shop, of a size and a number it decides."""

import re
from typing import Final

WEBHOOK: Final = re.compile(
    r"/api/(?:stores/webhooks/(?P<code>[^/]+)|webhooks/[^/]+/|[^/]+-sync/webhook/(?!test$))"
)
"""Matches such a path from its start; `code` is as good as a password."""


def is_delivery(path: str) -> bool:
    """Whether a path is one of those. `…-sync/webhook/test` is a caller's, with a key."""
    return WEBHOOK.match(path) is not None

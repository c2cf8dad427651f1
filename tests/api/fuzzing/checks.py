"""Checks of our own, which schemathesis runs on every answer beside its own."""

import json
import re
from typing import Any, Final

import schemathesis
from schemathesis import Case, CheckContext, Response

_INNARDS: Final = re.compile(
    rb"\$argon2id\$v=|Traceback \(most recent|site-packages/|DETAIL:  |\[SQL: "
)
"""What an error of ours could say of how we work, or of a password."""

_SECRET_FIELDS: Final = frozenset({"secret", "accessToken", "refreshToken"})


@schemathesis.check
class NothingOfOthers:
    """No answer has what is another tenant's, or a secret that was not made by that answer."""

    def __init__(self, markers: list[str], secrets: list[str]) -> None:
        """Args: markers: texts of another tenant. secrets: of anybody."""
        self._markers = [one.encode() for one in markers]
        self._secrets = [one.encode() for one in secrets]
        self._given: set[bytes] = set()

    def after_response(self, _ctx: CheckContext, response: Response, _case: Case[Any]) -> None:
        """Raises AssertionError."""
        told = response.content + repr(dict(response.headers)).encode()
        sent = _sent(response)
        for marker in self._markers:
            assert marker not in told, "The answer has a text of another tenant"
        for secret in (*self._secrets, *self._given):
            assert secret not in told or secret in sent, "The answer has a secret"
        leaked = _INNARDS.search(told)
        assert leaked is None or leaked[0] in sent, f"The answer tells how we work: {leaked}"
        self._given |= _given(response)


def _sent(response: Response) -> bytes:
    """What the client said itself may come back to it."""
    body = response.request.body
    return body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else b""


def _given(response: Response) -> set[bytes]:
    """Secrets that are told once, where they are made."""
    if response.status_code not in {200, 201} or response.request.method != "POST":
        return set()
    try:
        body: Any = json.loads(response.content)
    except ValueError:
        return set()
    if not isinstance(body, dict):
        return set()
    return {body[name].encode() for name in _SECRET_FIELDS if isinstance(body.get(name), str)}

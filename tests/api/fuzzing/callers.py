"""Who calls, and how the owner's run is shared by two processes."""

from typing import Any, Final

from tests.api.fuzzing.planted import MARK, SECRET, Two
from tests.api.fuzzing.run import configuration

_STORES: Final = r"/api/(stores|syncs|webhooks|woocommerce-sync|\{provider\}-sync)"
OF_STORES: Final = rf"^\w+ {_STORES}"
OF_OTHERS: Final = rf"^\w+ (?!{_STORES})"


def as_owner(two: Two, *, leave_out: str) -> dict[str, Any]:
    """All phases that try one request at a time."""
    return configuration(
        two.own.caller.headers,
        phases=("examples", "coverage", "fuzzing"),
        examples=3,
        markers=[MARK],
        secrets=[SECRET],
        leave_out=leave_out,
    )


def as_other(headers: dict[str, str], *, leave_out: str | None = None) -> dict[str, Any]:
    """A few of each: most are refused before anybody looks at what they say."""
    return configuration(
        headers,
        phases=("examples", "fuzzing"),
        examples=2,
        markers=[MARK],
        secrets=[SECRET],
        leave_out=leave_out,
    )

"""How the owner's run is shared by two processes."""

from typing import Any, Final

from tests.api.fuzzing.planted import MARK, SECRET, Two
from tests.api.fuzzing.run import configuration

OF_STORES: Final = r"^/api/(stores|syncs|webhooks|woocommerce-sync|\{provider\}-sync)"


def as_owner(two: Two) -> dict[str, Any]:
    """All phases that try one request at a time."""
    return configuration(
        two.own.caller.headers,
        phases=("examples", "coverage", "fuzzing"),
        examples=5,
        markers=[MARK],
        secrets=[SECRET],
    )

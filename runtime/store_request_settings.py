"""How patient the hub is with stores: the part of `runtime.settings` that is about it."""

from typing import Annotated, Final

from pydantic import Field
from pydantic_settings import BaseSettings

from providers._kit.connections import HttpLimits

MOST_CONNECT_S: Final = 30.0
MOST_READ_S: Final = 120.0
"""With these a request ends well before Temporal takes its activity for lost
(`workflows.policies.READ`)."""

_DEFAULTS: Final = HttpLimits()


class StoreRequestSettings(BaseSettings):
    """How long a request to a store may take.

    Attributes:
        store_connect_timeout_s: seconds until there is a connection, TLS included.
        store_read_timeout_s: seconds until the answer begins or goes on. A slow shop needs more,
            or smaller pages.
    """

    store_connect_timeout_s: Annotated[float, Field(ge=1, le=MOST_CONNECT_S)] = (
        _DEFAULTS.connect_timeout_s
    )
    store_read_timeout_s: Annotated[float, Field(ge=1, le=MOST_READ_S)] = _DEFAULTS.read_timeout_s

    def store_limits(self, *, at_most_s: float | None = None) -> HttpLimits:
        """The limits of a request; the whole of it ends within `at_most_s`, whatever they say."""
        return HttpLimits.of_timeouts(
            self.store_connect_timeout_s, self.store_read_timeout_s, at_most_s=at_most_s
        )

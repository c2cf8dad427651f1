"""JSON of somebody else's, as a database keeps it. Pure."""

from collections.abc import Mapping
from typing import Any


def keepable(value: Any) -> Any:
    """The same without what PostgreSQL keeps in no text: NUL is dropped, half a surrogate pair is
    U+FFFD. Of mappings dicts are made, of tuples lists."""
    match value:
        case str():
            text = value.replace("\x00", "")
            return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case Mapping():
            return {keepable(name): keepable(one) for name, one in value.items()}
        case list() | tuple():
            return [keepable(one) for one in value]
        case _:
            return value

"""What PHP does to JSON and query strings, where a client can notice."""

import re
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote_plus

import orjson

Document: TypeAlias = dict[str, Any]
Param: TypeAlias = "str | list[Param] | dict[str, Param]"
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")


def dump(value: object) -> bytes:
    r"""JSON as `wp_json_encode` writes it: ASCII only, `/` as `\/` (captured deliveries)."""
    text = orjson.dumps(value).replace(b"/", b"\\/")
    if text.isascii():
        return text
    if b"\\\\" not in text:
        # Several times faster than the general way below; wrong beside escaped backslashes and for
        # characters beyond the basic plane.
        escaped = text.decode().encode("ascii", "backslashreplace")
        if b"\\U" not in escaped:
            return escaped.replace(b"\\x", b"\\u00")
    return _NON_ASCII.sub(_escape, text.decode()).encode()


def _escape(found: re.Match[str]) -> str:
    units = found[0].encode("utf-16-be")
    return "".join(f"\\u{units[n]:02x}{units[n + 1]:02x}" for n in range(0, len(units), 2))


def load(text: bytes) -> Any:
    """The value of a JSON text."""
    return orjson.loads(text)


def parse_query(raw: str) -> dict[str, Param]:
    """A query string as PHP's `$_GET`: `a[]=1&a[]=2` and `a[x]=1` become arrays, the last of equal
    plain names wins, order of first appearance is kept."""
    found: dict[str, Param] = {}
    for name, value in parse_qsl(raw, keep_blank_values=True, max_num_fields=1000):
        if "[" not in name:
            found[name] = value
            continue
        root, _, rest = name.partition("[")
        _put(found, root, [part.rstrip("]") for part in rest.split("[")], value)
    return {name: _as_list(value) for name, value in found.items()}


def _put(found: dict[str, Param], root: str, keys: list[str], value: str) -> None:
    node = found.setdefault(root, {})
    if not isinstance(node, dict):
        node = found[root] = {}
    for key in keys[:-1]:
        child = node.setdefault(key or str(len(node)), {})
        if not isinstance(child, dict):
            return
        node = child
    node[keys[-1] or str(len(node))] = value


def _as_list(value: Param) -> Param:
    if not isinstance(value, dict):
        return value
    plain = {key: _as_list(item) for key, item in value.items()}
    if list(plain) == [str(n) for n in range(len(plain))]:
        return list(plain.values())
    return plain


def flatten(params: dict[str, Param]) -> list[tuple[str, str]]:
    """`$_GET` back to names and values, arrays with their index: `include[0]=5`."""
    flat: list[tuple[str, str]] = []
    for name, value in params.items():
        _flatten(flat, name, value)
    return flat


def _flatten(flat: list[tuple[str, str]], name: str, value: Param) -> None:
    if isinstance(value, str):
        flat.append((name, value))
        return
    items = enumerate(value) if isinstance(value, list) else value.items()
    for key, item in items:
        _flatten(flat, f"{name}[{key}]", item)


def add_query_arg(params: dict[str, Param], url: str) -> str:
    """`url?params` as WordPress's `add_query_arg` builds paging links: encoded once, after a pass
    that has already read `+` as a space (hence the bare `+` in captured signatures)."""
    pairs = [
        f"{quote_plus(name)}={quote_plus(value.replace('+', ' '))}"
        for name, value in flatten(params)
    ]
    return f"{url}?{'&'.join(pairs)}" if pairs else url

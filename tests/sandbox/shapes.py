"""Shapes of captured JSON: member names and types, merged over all examples."""

from dataclasses import dataclass, field
from typing import Any

# Metadata values are whatever plugins put there.
_FREE = {"value"}


@dataclass
class Shape:
    """What was seen at one place. `required` are the members that every seen object had."""

    types: set[str] = field(default_factory=set)
    members: dict[str, "Shape"] = field(default_factory=dict)
    required: set[str] | None = None
    items: "Shape | None" = None


def kind_of(value: Any) -> str:
    """The JSON type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
    return "object"


def learn(value: Any, shape: Shape | None = None) -> Shape:
    """A shape that has seen `value` too."""
    shape = shape or Shape()
    shape.types.add(kind_of(value))
    if isinstance(value, dict):
        shape.required = set(value) if shape.required is None else shape.required & set(value)
        for name, member in value.items():
            shape.members[name] = learn(member, shape.members.get(name))
    elif isinstance(value, list):
        for item in value:
            shape.items = learn(item, shape.items)
    return shape


def differences(value: Any, shape: Shape, path: str = "$") -> list[str]:
    """Where `value` is not of the shape. Places that only ever held null say nothing."""
    if shape.types == {"null"} or path.rpartition(".")[2] in _FREE:
        return []
    kind = kind_of(value)
    if kind not in shape.types:
        return [f"{path}: {kind}, captured {sorted(shape.types)}"]
    found: list[str] = []
    if isinstance(value, dict):
        found += [f"{path}: {m} is missing" for m in sorted((shape.required or set()) - set(value))]
        found += [f"{path}: {m} was never seen" for m in sorted(set(value) - set(shape.members))]
        for name in set(value) & set(shape.members):
            found += differences(value[name], shape.members[name], f"{path}.{name}")
    if isinstance(value, list) and shape.items is not None:
        for item in value:
            found += differences(item, shape.items, f"{path}[]")
    return found

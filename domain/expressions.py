"""JMESPath expressions that other people wrote, evaluated within bounds. Pure.

Source: the JMESPath specification (jmespath.org). An expression of a few characters can ask for
much (`[@,@][]|[@,@][]|…` doubles a list with each step), so its size is bounded when it is compiled
and its steps and lists when it is evaluated. Errors name no value: values may be personal.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from jmespath import functions
from jmespath.exceptions import JMESPathError
from jmespath.parser import Parser
from jmespath.visitor import Options, TreeInterpreter

LONGEST: Final = 500
"""Characters of an expression."""

_MOST_NODES: Final = 80
_DEEPEST: Final = 24
_MOST_STEPS: Final = 20_000
_LONGEST_LIST: Final = 5_000
_LONGEST_TEXT: Final = 200_000
_ITEMS_A_STEP: Final = 50
_CHARS_A_STEP: Final = 2_000
_CACHED: Final = 2_048
_FAILURES: Final = (
    JMESPathError,
    ArithmeticError,
    AttributeError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)

Node = Mapping[str, Any]


class ExpressionError(ValueError):
    """An expression cannot be used, or went wrong; the message holds no value it met."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An expression that was understood.

    Attributes:
        members: the members of the input that it begins at; `@`: the whole of it.
    """

    text: str
    tree: Node
    members: frozenset[str]

    def evaluate(self, value: Any) -> Any:
        """What it finds in a JSON value; None: nothing. Raises ExpressionError."""
        interpreter = _Interpreter()
        try:
            return interpreter.visit(self.tree, value)
        except ExpressionError:
            raise
        except _FAILURES as error:
            raise ExpressionError(f"the expression failed ({type(error).__name__})") from None


@lru_cache(maxsize=_CACHED)
def compile_expression(text: str) -> Expression:
    """Understand an expression. Raises ExpressionError: what is wrong, and where."""
    if not text.strip():
        raise ExpressionError("an expression is needed")
    if len(text) > LONGEST:
        raise ExpressionError(f"at most {LONGEST} characters")
    if not text.isprintable():
        raise ExpressionError("a line of printable characters is needed")
    try:
        tree: Node = Parser().parse(text).parsed
    except RecursionError:
        raise ExpressionError("nested too deeply") from None
    except JMESPathError as error:
        place = getattr(error, "lex_position", None)
        where = f" at character {place + 1}" if isinstance(place, int) else ""
        raise ExpressionError(f"not a JMESPath expression{where}") from None
    _check(tree)
    return Expression(text, tree, frozenset(_members(tree)))


def _check(tree: Node) -> None:
    nodes = 0
    waiting = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        nodes += 1
        if nodes > _MOST_NODES:
            raise ExpressionError(f"too long: more than {_MOST_NODES} parts")
        if depth > _DEEPEST:
            raise ExpressionError("nested too deeply")
        if node["type"] == "function_expression":
            _check_call(node)
        waiting += [(child, depth + 1) for child in _children(node)]


def _check_call(node: Node) -> None:
    name, given = str(node["value"]), len(node["children"])
    known = _Functions.FUNCTION_TABLE.get(name)
    if known is None:
        names = ", ".join(sorted(_Functions.FUNCTION_TABLE))
        raise ExpressionError(f"there is no function {name[:40]}(); there are {names}")
    signature = known["signature"]
    is_variadic = bool(signature) and bool(signature[-1].get("variadic"))
    if given < len(signature) or (given > len(signature) and not is_variadic):
        least = "at least " if is_variadic else ""
        raise ExpressionError(f"{name}() takes {least}{len(signature)} arguments")


def _children(node: Node) -> Iterator[Node]:
    # Of a slice they are numbers.
    return (child for child in node.get("children", ()) if isinstance(child, dict))


_BEGINS_AT_FIRST: Final = frozenset(
    ("subexpression", "index_expression", "pipe", "projection", "value_projection")
) | {"filter_projection", "flatten"}


def _members(node: Node) -> Iterator[str]:
    """Which members of the whole input a tree looks at first."""
    match node["type"]:
        case "field":
            yield str(node["value"])
        case "current" | "identity":
            yield "@"
        case kind if kind in _BEGINS_AT_FIRST:
            yield from _members(node["children"][0])
        case "expref" | "literal":
            return
        case _:
            for child in _children(node):
                yield from _members(child)


class _Functions(functions.Functions):
    """The functions of JMESPath, without what makes long texts of large values."""

    @functions.signature({"types": []})
    def _func_to_string(self, arg: Any) -> Any:
        if isinstance(arg, list | dict):
            raise ExpressionError("to_string() takes a text, a number or a boolean")
        return arg if isinstance(arg, str) else json.dumps(arg)

    @functions.signature({"types": ["string"]}, {"types": ["array-string"]})
    def _func_join(self, separator: str, array: list[str]) -> Any:
        size = sum(map(len, array)) + len(separator) * len(array)
        if size > _LONGEST_TEXT:
            raise ExpressionError("join() makes too long a text")
        return separator.join(array)


_OPTIONS: Final = Options(custom_functions=_Functions())


class _Interpreter(TreeInterpreter):
    """Evaluates one expression once, and gives up when it takes too much."""

    def __init__(self) -> None:
        super().__init__(_OPTIONS)
        self._steps = 0

    def visit(self, node: Any, *args: Any, **kwargs: Any) -> Any:
        """Evaluate a part. Raises ExpressionError: too many steps, or too long a list."""
        self._count(1)
        found = super().visit(node, *args, **kwargs)
        if isinstance(found, list):
            if len(found) > _LONGEST_LIST:
                raise ExpressionError("the expression makes too long a list of this record")
            self._count(len(found) // _ITEMS_A_STEP)
        elif isinstance(found, str):
            self._count(len(found) // _CHARS_A_STEP)
        return found

    def _count(self, steps: int) -> None:
        """What is large takes a function as long as many small ones."""
        self._steps += steps
        if self._steps > _MOST_STEPS:
            raise ExpressionError("the expression takes too many steps on this record")


def plain_json(value: Any) -> Any:
    """A JSON value whose numbers are Python's own, as expressions expect them.

    Of a row that was read with exact decimals a copy is made; other rows come back as they are.
    """
    match value:
        case Decimal():
            is_whole = value.is_finite() and value == value.to_integral_value()
            return int(value) if is_whole else float(value)
        case dict():
            found = {name: plain_json(one) for name, one in value.items()}
            return value if all(found[name] is value[name] for name in found) else found
        case list():
            items = [plain_json(one) for one in value]
            is_same = all(one is other for one, other in zip(items, value, strict=True))
            return value if is_same else items
    return value

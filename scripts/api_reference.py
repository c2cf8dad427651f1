"""`python scripts/api_reference.py`: write `docs/api-reference.md` from the API's own description.

The page is never edited: what it says stands in the routes and schemas. `--check` writes nothing
and exits with 1 when the page is not what the API says now.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "api-reference.md"
_HEAD: Final = """\
# API reference

<!-- Written by `make docs` from the API's own description: change the routes, not this page. -->

The same is served by a running hub: a page to try requests on at `/docs`, the OpenAPI document at
`/openapi.json`.
"""
_SCHEMAS: Final = "#/components/schemas/"

Json = Mapping[str, Any]


def render(document: Json) -> str:
    """The page for an OpenAPI document."""
    parts = [_HEAD, _paragraphs(document["info"]["description"]), _contents(document)]
    for tag in document["tags"]:
        operations = list(_tagged(document, tag["name"]))
        if operations:
            parts.append(f"## {tag['name']}\n\n{tag['description']}")
            parts += [_operation(document, *one) for one in operations]
    parts.append(_problems(document))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _contents(document: Json) -> str:
    lines = []
    for tag in document["tags"]:
        count = sum(1 for _ in _tagged(document, tag["name"]))
        if count:
            lines.append(f"- [{tag['name']}](#{tag['name']}) ({count}): {tag['description']}")
    return "\n".join(lines)


def _tagged(document: Json, tag: str) -> Iterator[tuple[str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if tag in operation.get("tags", ()):
                yield method.upper(), path, operation


def _operation(document: Json, method: str, path: str, operation: Json) -> str:
    parts = [f"### {method} {path}", f"**{operation['summary']}.** {_needs(operation)}"]
    if told := operation.get("description"):
        parts.append(_paragraphs(told))
    if parameters := operation.get("parameters"):
        parts.append(_table(("parameter", "in", "type", "meaning"), map(_parameter, parameters)))
    body = _body_example(document, operation.get("requestBody"))
    if body is not None:
        parts.append(f"Body:\n\n{_code(body)}")
    for status, response in operation["responses"].items():
        if status.startswith("2"):
            answer = _body_example(document, response)
            shown = "" if answer is None else f"\n\n{_code(answer)}"
            parts.append(f"Answer {status}: {_told(response)}{shown}")
    if refused := [one for one in operation["responses"] if not one.startswith("2")]:
        parts.append(f"Other answers: {', '.join(refused)}.")
    return "\n\n".join(parts)


def _needs(operation: Json) -> str:
    permission = operation.get("x-permission")
    if permission:
        return f"Needs the permission `{permission}`."
    is_open = not operation.get("security") or {} in operation["security"]
    return "Needs no key." if is_open else "Needs a key or a login."


def _told(response: Json) -> str:
    description = str(response.get("description", ""))
    kinds = ", ".join(f"`{kind}`" for kind in response.get("content", {}))
    said = "" if description == "Successful Response" else description.rstrip(".") + "."
    return " ".join(part for part in (said, kinds) if part) or "nothing but the status."


def _parameter(parameter: Json) -> tuple[str, str, str, str]:
    schema = parameter.get("schema", {})
    needed = " (needed)" if parameter.get("required") else ""
    told = str(parameter.get("description") or "")
    if "default" in schema and schema["default"] is not None:
        told = f"{told.rstrip('.')}. Default `{schema['default']}`".lstrip(". ")
    return f"`{parameter['name']}`{needed}", parameter["in"], _type(schema), told


def _type(schema: Json) -> str:
    if "anyOf" in schema:
        kinds = [_type(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    if "$ref" in schema:
        return str(schema["$ref"]).removeprefix(_SCHEMAS)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    low, high = schema.get("minimum"), schema.get("maximum")
    span = f" {low} to {high}" if low is not None and high is not None and high < 2**53 else ""
    return str(schema.get("format") or schema.get("type") or "any") + span


def _body_example(document: Json, holder: Json | None) -> object | None:
    content = (holder or {}).get("content", {}).get("application/json")
    if content is None:
        return None
    if "example" in content:
        return content["example"]  # type: ignore[no-any-return]
    schema = content.get("schema", {})
    for one in schema.get("anyOf", [schema]):
        if "example" in one:
            return one["example"]  # type: ignore[no-any-return]
        if name := str(one.get("$ref", "")).removeprefix(_SCHEMAS):
            return document["components"]["schemas"][name].get("example")  # type: ignore[no-any-return]
    return None


def _problems(document: Json) -> str:
    example = document["components"]["schemas"]["Problem"].get("example")
    return f"## Problems\n\nEvery answer that is no success is this (RFC 9457):\n\n{_code(example)}"


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in rows]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _code(example: object) -> str:
    return f"```json\n{json.dumps(example, indent=2, ensure_ascii=False)}\n```"


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))


def main(arguments: list[str]) -> int:
    """Write the page, or with `--check` say whether it is true; returns the exit code."""
    from api.app import describe_api  # noqa: PLC0415  (the tests of `render` need no API)

    page = render(describe_api("0.1.0"))
    if "--check" not in arguments:
        PAGE.write_text(page)
        return 0
    if PAGE.exists() and PAGE.read_text() == page:
        return 0
    print("docs/api-reference.md is not what the API says: make docs writes it")
    return 1


if __name__ == "__main__":
    sys.path.insert(0, str(PAGE.parent.parent))
    sys.exit(main(sys.argv[1:]))

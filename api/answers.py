"""Answers that are built by hand, because they can be remembered and sent again."""

from collections.abc import Mapping

from pydantic import BaseModel
from starlette.responses import Response


def json_answer(
    body: BaseModel, *, status_code: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """A body as JSON."""
    return Response(
        body.model_dump_json(by_alias=True).encode(),
        status_code=status_code,
        media_type="application/json",
        headers=dict(headers or {}),
    )

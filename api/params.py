"""Parameters that several routes share."""

from typing import Annotated

from fastapi import Depends, Path
from starlette.requests import Request

from api.auth import Principal, authenticate
from api.problems import UNSUPPORTED_MEDIA, ProblemError
from api.schemas.base import MAX_ID

StoreId = Annotated[int, Path(ge=1, le=MAX_ID, description="The store's id")]
RecordId = Annotated[int, Path(ge=1, le=MAX_ID, description="The record's id")]
WorkflowId = Annotated[
    str, Path(max_length=80, description="As the API gave it, such as `import/12`")
]


async def require_json(
    request: Request, _principal: Annotated[Principal, Depends(authenticate)]
) -> None:
    """Refuse a body that does not say it is JSON (415), once it is known who asks."""
    says_json(request)


def says_json(request: Request) -> None:
    """Refuse a body that does not say it is JSON (415), where nobody has to be known."""
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json" and not declared.endswith("+json"):
        raise ProblemError(
            UNSUPPORTED_MEDIA, "Send the body as JSON, with Content-Type: application/json."
        )


JSON_BODY = [Depends(require_json)]
"""The dependencies of a route with a JSON body."""

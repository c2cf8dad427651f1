"""Fields before and after, as the caller may see them."""

from collections.abc import Mapping
from typing import Any

from api.auth import Principal
from api.masking import shown_value
from api.schemas.run_diffs import FieldChangeAnswer
from db.keys import Permission


def fields_view(
    principal: Principal, fields: Mapping[str, Mapping[str, Any]]
) -> dict[str, FieldChangeAnswer]:
    """By path; personal data is hidden from who may not read records."""
    may_see = principal.may(Permission.RECORDS_READ)
    return {
        path: FieldChangeAnswer(
            before=shown_value(path, change["from"], with_personal_data=may_see),
            to=shown_value(path, change["to"], with_personal_data=may_see),
            is_held=bool(change.get("isHeld")),
        )
        for path, change in fields.items()
    }

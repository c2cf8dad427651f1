"""Field mappings in the API: a store's own rules, and what they would make of a record."""

from typing import Annotated, Any, Literal

from pydantic import Field, JsonValue, ValidationInfo, field_validator

from api.schemas.base import Answer, Body, UtcTime, example
from domain.entities import Entity
from domain.expressions import LONGEST, compile_expression
from domain.field_mapping import MOST_RULES, MappingRule, OnMissing
from domain.mapping_targets import find_target

MappedEntity = Literal["categories", "products", "variants", "customers", "orders"]
_RULE = {
    "entity": "products",
    "target": "extra.material",
    "expression": "attributes[?name=='Material'].options[0] | [0]",
    "onMissing": "clear",
}


class RuleBody(Body):
    """One rule: what an expression finds in the store's row goes into a field of the record."""

    model_config = Body.model_config | example(_RULE)

    entity: MappedEntity = Field(
        description="`variants` look at the variation's own row, and at the product's row where "
        "the product is sold as it is"
    )
    target: str = Field(
        min_length=1,
        max_length=80,
        description="`extra.<name>` for any record; `title`, `slug`, `description`, "
        "`shortDescription`, `tags` of products; `sku`, `barcode`, `weight` of variants; "
        "`firstName`, `lastName`, `phone` of customers; `number`, `customerNote`, `paymentTitle` "
        "of orders; `name`, `description` of categories",
    )
    expression: str = Field(
        min_length=1,
        max_length=LONGEST,
        description="JMESPath (jmespath.org) over the row as the store sends it",
    )
    on_missing: Literal["keep", "clear", "reject"] = Field(
        "keep",
        description="Where the expression finds nothing: the field stays as it is without the "
        "rule, is emptied, or the record is set aside",
    )

    @field_validator("target")
    @classmethod
    def _is_a_target(cls, value: str, info: ValidationInfo) -> str:
        if (entity := info.data.get("entity")) is not None:
            find_target(Entity(entity), value)
        return value

    @field_validator("expression")
    @classmethod
    def _is_an_expression(cls, value: str) -> str:
        compile_expression(value)
        return value

    def rule(self) -> MappingRule:
        """The rule as it is applied."""
        return MappingRule(
            entity=Entity(self.entity),
            target=self.target,
            expression=self.expression,
            on_missing=OnMissing(self.on_missing),
        )


Rules = Annotated[tuple[RuleBody, ...], Field(max_length=MOST_RULES)]


class PutMappingBody(Body):
    """All rules of a store: those that are not here are gone."""

    model_config = Body.model_config | example({"rules": [_RULE], "version": 1})

    rules: Rules
    version: int | None = Field(
        None,
        ge=0,
        le=2**31 - 1,
        description="The version that is replaced; when there is another by now, 409. "
        "`If-Match` says the same",
    )


class RuleAnswer(Answer):
    """One rule."""

    model_config = Answer.model_config | example(_RULE)

    entity: MappedEntity
    target: str
    expression: str
    on_missing: Literal["keep", "clear", "reject"]


class MappingAnswer(Answer):
    """A store's rules. A store without any is at version 0."""

    model_config = Answer.model_config | example(
        {"storeId": 12, "version": 2, "updatedAt": "2026-11-21T10:00:00Z", "rules": [_RULE]}
    )

    store_id: int
    version: int
    updated_at: UtcTime | None
    rules: list[RuleAnswer]


class PreviewMappingBody(Body):
    """Rules to try. Without `rules`, those that are saved; without `externalId`, the newest."""

    model_config = Body.model_config | example(
        {"entity": "products", "externalId": "55", "rules": [_RULE]}
    )

    entity: MappedEntity
    external_id: str | None = Field(
        None,
        min_length=1,
        max_length=64,
        pattern=r"^[\x21-\x7e]+$",
        description="The store's id of the record; of `variants`, that of their product",
    )
    rules: Rules | None = None


class RuleErrorAnswer(Answer):
    """Why the record would be set aside. `pointer` is a JSON pointer to the rule."""

    model_config = Answer.model_config | example(
        {
            "pointer": "/rules/0",
            "detail": "field mapping of products.extra.material: the expression finds nothing",
        }
    )

    pointer: str
    detail: str


class TriedRulesAnswer(Answer):
    """What the rules make of a record, by target; long texts and lists are shortened."""

    model_config = Answer.model_config | example(
        {
            "externalId": "55",
            "raw": {"attributes": [{"name": "Material", "options": ["Linen"]}]},
            "before": {"extra.material": None},
            "after": {"extra.material": "Linen"},
            "errors": [],
        }
    )

    external_id: str
    raw: dict[str, JsonValue] = Field(description="What the expressions look at in the store's row")
    before: dict[str, JsonValue]
    after: dict[str, JsonValue]
    errors: list[RuleErrorAnswer]


class MappingPreviewAnswer(TriedRulesAnswer):
    """What the rules would make of one real record. Nothing is kept of it."""

    model_config = Answer.model_config | example(
        {
            "storeId": 12,
            "entity": "products",
            "externalId": "55",
            "raw": {"attributes": [{"name": "Material", "options": ["Linen"]}]},
            "before": {"extra.material": None},
            "after": {"extra.material": "Linen"},
            "errors": [],
            "variants": [],
        }
    )

    store_id: int
    entity: MappedEntity
    variants: list[TriedRulesAnswer] = Field(description="A product's variants, ten at most")


def tried(trace: dict[str, Any]) -> dict[str, Any]:
    """A trace, as a worker wrote it down, in the words of `TriedRulesAnswer`."""
    errors = [
        {"pointer": f"/rules/{number}", "detail": reason}
        for number, reason in trace["errors"].items()
    ]
    return {**trace, "errors": errors}

"""Every table that keeps secrets, and what each row's is bound to.

A table with a column `encrypted_data` that is missing here would stay under the old key when the
master key is rotated: a test compares the list with the tables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Table

from db.alert_channels import channel_context
from db.connect_tokens import hashed_token_context
from db.crypto import store_context
from db.idempotency import bound_answer
from db.signing_keys import signing_key_context
from db.tables.people import SIGNING_KEYS
from db.tables.stores import STORE_CHECKS, STORES
from db.tables.tenancy import IDEMPOTENCY_KEYS
from db.tables.upkeep import ALERT_CHANNELS, CONNECT_TOKENS

CIPHERTEXT: Final = ("encrypted_data", "iv", "tag", "key_id")


@dataclass(frozen=True, slots=True)
class SealedTable:
    """A table with a ciphertext per row.

    Attributes:
        bound_to: the columns its context is made of.
        context: makes the context of them.
    """

    table: Table
    bound_to: tuple[str, ...]
    context: Callable[..., str]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that name a row of a tenant."""
        return tuple(one.name for one in self.table.primary_key if one.name != "tenant_id")

    def context_of(self, row: Mapping[Any, Any]) -> str:
        """What the secret of this row is bound to."""
        return self.context(*(row[name] for name in self.bound_to))


SEALED_TABLES: Final = (
    SealedTable(STORES, ("id",), store_context),
    SealedTable(STORE_CHECKS, ("store_id",), store_context),
    SealedTable(SIGNING_KEYS, ("kid",), signing_key_context),
    SealedTable(ALERT_CHANNELS, ("id",), channel_context),
    SealedTable(CONNECT_TOKENS, ("token_hash",), hashed_token_context),
    SealedTable(IDEMPOTENCY_KEYS, ("tenant_id", "route", "key"), bound_answer),
)

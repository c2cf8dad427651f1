"""The errors of entrepot, drawn as a tree.

EntrepotError
├── InvalidRecordError          one record cannot be understood: set aside with its reason
├── StoreError                  an outside store did not do what was asked
│   ├── RetryableStoreError     the same request may succeed later
│   │   ├── StoreUnreachableError   no answer: connection, TLS, timeout, cut short
│   │   ├── StoreUnavailableError   5xx, maintenance, or an answer that is not the API's
│   │   └── RateLimitedError        429
│   └── PermanentStoreError     the same request will fail again until a person acts
│       ├── CredentialsError        401: keys wrong, revoked, or not sent on by the host
│       ├── PermissionDeniedError   403: the keys may not do this
│       ├── StoreSuspendedError     the shop is closed or unpaid at its platform
│       ├── RouteMissingError       404 on a whole route: not this product, or not this version
│       ├── RequestRejectedError    400, 409, 413, 422: the store refuses what we sent
│       └── AddressRefusedError     the SSRF guard refuses the address
├── StoreGoneError              our own store row is deleted, or no longer active
├── NotFoundError               no such record for this tenant
├── ConflictError               the request contradicts what is there
└── SecretError                 a stored secret cannot be read with the keys at hand

Messages are for people: they name what happened and what to do, and never hold a secret, a
header or a query string.
"""

from typing import ClassVar


class EntrepotError(Exception):
    """Base of every error that entrepot raises on purpose."""


class InvalidRecordError(EntrepotError):
    """One record cannot be understood."""


class StoreError(EntrepotError):
    """An outside store did not do what was asked."""

    retryable: ClassVar[bool] = False

    def __init__(
        self, message: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after_s = retry_after_s


class RetryableStoreError(StoreError):
    """The same request may succeed later, after `retry_after_s` if the store asked for a pause."""

    retryable = True


class StoreUnreachableError(RetryableStoreError):
    """There was no whole answer: connection, TLS, timeout, or a body cut short."""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        is_timeout: bool = False,
    ) -> None:
        super().__init__(message, status=status, retry_after_s=retry_after_s)
        self.is_timeout = is_timeout


class StoreUnavailableError(RetryableStoreError):
    """The store answered that it cannot serve now, or with something that is not its API."""


class RateLimitedError(RetryableStoreError):
    """The store answered 429."""


class PermanentStoreError(StoreError):
    """The same request will fail again until a person acts."""


class CredentialsError(PermanentStoreError):
    """The store does not accept the keys (401)."""


class PermissionDeniedError(PermanentStoreError):
    """The keys are right but may not do this (403)."""


class StoreSuspendedError(PermanentStoreError):
    """The shop itself is switched off at its platform: closed, or its subscription is unpaid."""


class RouteMissingError(PermanentStoreError):
    """The store has no such route (404 on a collection)."""


class RequestRejectedError(PermanentStoreError):
    """The store refuses what was sent (400, 409, 413, 422)."""


class AddressRefusedError(PermanentStoreError):
    """The address is one the SSRF guard does not let us call."""


class StoreGoneError(EntrepotError):
    """The store was deleted or deactivated in the hub while work for it was under way."""


class NotFoundError(EntrepotError):
    """There is no such record for this tenant."""


class ConflictError(EntrepotError):
    """The request contradicts what is already there."""


class SecretError(EntrepotError):
    """A stored secret cannot be read with the keys at hand."""

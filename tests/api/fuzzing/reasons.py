"""What schemathesis is told to expect, operation by operation, and why.

A schema says what each value may be. What it cannot say is how values go together, and what is
there at the moment; where the API refuses for such a reason, a valid request may be refused.
"""

from typing import Any, Final

_MAY_REFUSE: Final = (
    # What a cursor holds is the listing's own: only those that it gave are any good.
    (r"^GET /api/.*", (400,), "a cursor is opaque"),
    # Which store is meant has to be said where there are several, and once.
    (r"^(GET|POST) /api/woocommerce-sync/.*", (400, 422), "storeId; one of ids, all and since"),
    # An order of two times, the past, a network: rules of values.
    (r"^(POST|PATCH) /api/keys.*", (422,), "expiresAt lies ahead; networks have no host bits"),
    (r"^POST /api/auth/logout$", (400,), "a key has no session that could be ended"),
    (r"^POST /api/conflicts/{record_id}/resolve$", (422,), "data goes with manual alone"),
    (r"^(POST|PATCH) /api/categories.*", (422,), "the parent has to be there, and above"),
    (r"^(POST|PATCH) /api/products.*", (422,), "prices and options of variants; categories"),
    (r"^(POST|PATCH) /api/customers.*", (422,), "a customer has a name or a way to be reached"),
    (r"^POST /api/(inventory/movements|invoices)$", (422,), "signs of kinds; variants once"),
    (r"^(POST|PATCH) /api/stores(/{store_id})?$", (422,), "the connection form is the provider's"),
    (r"^POST /api/stores/connect/{provider}/start$", (422,), "an address is more than its form"),
    (r"^(PUT|POST) /api/stores/{store_id}/mapping.*", (400, 422), "targets of each kind; JMESPath"),
    (r"^PUT /api/stores/{store_id}/schedule$", (422,), "interval or cron; names of time zones"),
    (r"^PUT /api/alert-channels$", (422,), "what a channel needs is up to its kind"),
    (r"^POST /api/stores/{store_id}/(sync|import)$", (422,), "entities that the provider has"),
)
_USUAL: Final = ("2xx", "3xx", "401", "403", "404", "409", "429", "5xx")

# A made-up store is not there, or never answers: what the hub says then is no failure of the hub.
_ASK_A_STORE: Final = (
    r"^(POST /api/stores|PATCH /api/stores/{store_id}|POST /api/stores/{store_id}/test-connection"
    r"|GET /api/stores/{store_id}/push-preview|POST /api/stores/{store_id}/mapping/preview"
    r"|GET /api/woocommerce-sync/connection/test|POST /api/woocommerce-sync/sync/.*})$"
)
_NOT_CHECKED: Final = (
    # The ids of runs have slashes: GET /api/syncs/{workflow_id} takes this path as an id too.
    (r"^POST /api/syncs/{workflow_id}/cancel$", ("unsupported_method", "allow_header_conformance")),
)


def operations() -> list[dict[str, Any]]:
    """The part of the configuration that says so."""
    refusing = [
        {
            "include-name-regex": name,
            "checks": {
                "positive_data_acceptance": {
                    "expected-statuses": [*_USUAL, *(str(status) for status in statuses)]
                }
            },
        }
        for name, statuses, _ in _MAY_REFUSE
    ]
    unchecked = [
        {"include-name-regex": name, "checks": {check: {"enabled": False} for check in checks}}
        for name, checks in _NOT_CHECKED
    ]
    asking = {
        "include-name-regex": _ASK_A_STORE,
        "checks": {
            "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx", "502", "504"]}
        },
    }
    return [*unchecked, *refusing, asking]

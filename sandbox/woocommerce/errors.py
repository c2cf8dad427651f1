"""The one error shape of the WordPress REST API."""

from typing import Any


class RestError(Exception):
    """Answered as `{"code", "message", "data": {"status", …}}` (WooCommerce REST docs, Errors)."""

    def __init__(self, code: str, message: str, status: int, **data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.data = data

    def body(self) -> dict[str, Any]:
        """The JSON document of this error."""
        return {
            "code": self.code,
            "message": self.message,
            "data": {"status": self.status, **self.data},
        }


def no_route() -> RestError:
    """Answer to an unknown path or method (captured)."""
    return RestError(
        "rest_no_route", "No route was found matching the URL and request method.", 404
    )


def invalid_id(kind: str, status: int) -> RestError:
    """Answer to an unknown id: 404 on reads and deletes, 400 on updates (measured)."""
    return RestError(f"woocommerce_rest_{kind}_invalid_id", "Invalid ID.", status)


def invalid_param(name: str, code: str, message: str, data: Any = None) -> RestError:
    """Answer to one bad parameter (captured for `per_page`, `orderby` and `modified_after`)."""
    return RestError(
        "rest_invalid_param",
        f"Invalid parameter(s): {name}",
        400,
        params={name: message},
        details={name: {"code": code, "message": message, "data": data}},
    )


def missing_param(*names: str) -> RestError:
    """Answer to a body without a required member (WordPress `rest_missing_callback_param`)."""
    return RestError(
        "rest_missing_callback_param",
        f"Missing parameter(s): {', '.join(names)}",
        400,
        params=list(names),
    )

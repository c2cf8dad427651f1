"""Amounts as integers of a currency's minor unit, and as the decimal strings of the REST API."""

from decimal import ROUND_HALF_UP, Decimal

# ISO 4217 exponents of the currencies that the sandbox deals in; all others have two decimals.
_DECIMALS = {"JPY": 0, "KRW": 0, "KWD": 3, "BHD": 3, "OMR": 3, "JOD": 3, "TND": 3}
_SYMBOLS = {
    "EUR": "€",
    "USD": "$",
    "GBP": "£",
    "JPY": "¥",
    "KWD": "د.ك",
    "LKR": "රු",
    "EGP": "EGP",
}
_ENTITIES = {"EUR": "&euro;", "USD": "&#36;", "GBP": "&pound;", "JPY": "&yen;"}


def decimals(currency: str) -> int:
    """How many decimals amounts of `currency` have."""
    return _DECIMALS.get(currency, 2)


def symbol(currency: str) -> str:
    """The sign of `currency`, as `currency_symbol` of an order shows it."""
    return _SYMBOLS.get(currency, currency)


def entity(currency: str) -> str:
    """The sign of `currency` as HTML."""
    return _ENTITIES.get(currency, symbol(currency))


def text(minor: int, places: int) -> str:
    """`11830` → `118.30` for two places, `11830` for none."""
    if places == 2 and minor >= 0:
        # By far the most frequent case.
        return f"{minor // 100}.{minor % 100:02d}"
    if places == 0:
        return str(minor)
    unit = 10**places
    sign = "-" if minor < 0 else ""
    whole, part = divmod(abs(minor), unit)
    return f"{sign}{whole}.{part:0{places}d}"


def minor(amount: str, places: int) -> int:
    """`118.30` → `11830`, rounding half up; raises `decimal.InvalidOperation` for no number."""
    scaled = Decimal(amount or "0").scaleb(places)
    return int(scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def at_places(amount: str, places: int) -> str:
    """`10.505` with two places is `10.51`, as the `dp` parameter rounds."""
    return text(minor(amount, places), places)


def price_html(price: str, currency: str) -> str:
    """The markup WooCommerce shows for a price (captured)."""
    return (
        '<span class="woocommerce-Price-amount amount"><bdi><span class='
        f'"woocommerce-Price-currencySymbol" translate="no">{entity(currency)}</span>{price}'
        "</bdi></span>"
    )


def sale_html(regular: str, sale: str, currency: str) -> str:
    """The markup of a reduced price (captured)."""
    sign = entity(currency)
    return (
        f'<del aria-hidden="true">{price_html(regular, currency)}</del> '
        f'<span class="screen-reader-text">Original price was: {sign}{regular}.</span>'
        f'<ins aria-hidden="true">{price_html(sale, currency)}</ins>'
        f'<span class="screen-reader-text">Current price is: {sign}{sale}.</span>'
    )

"""How a shop starts: everything follows from (seed, index), so a record needs no storing."""

from dataclasses import dataclass

from sandbox.woocommerce import clock, words

_MASK = (1 << 64) - 1
# Seeded history runs over 500 days from here, always before the clock of whoever runs it.
HISTORY_START = clock.epoch_of_gmt("2024-02-01T00:00:00")
HISTORY_S = 500 * 86400

SIMPLE, VARIABLE, GROUPED, EXTERNAL = "simple", "variable", "grouped", "external"
# Twenty products of every shop, in this pattern: 15 % variable, 5 % grouped, 5 % external.
_KINDS = {3: VARIABLE, 10: VARIABLE, 17: VARIABLE, 6: GROUPED, 14: EXTERNAL}
_PRODUCT_STATUS = {11: "draft", 22: "private", 33: "pending", 44: "trash"}
_ORDER_STATUS = (
    *("completed",) * 14,
    *("processing",) * 10,
    *("on-hold", "pending", "cancelled", "failed", "refunded", "awaiting-shipment") * 2,
    *("checkout-draft", "trash", "completed", "completed"),
)
_ROLES = {0: "administrator", 5: "subscriber", 9: "shop_manager", 14: "editor"}
_ROLE_CYCLE = 23


@dataclass(frozen=True, kw_only=True, slots=True)
class ShopSeed:
    """What to fill a shop with. Equal seeds give equal shops, whenever and wherever built.

    Counts are of seeded records: some products and orders among them are in the trash, as in any
    shop. `bad_records` adds that many records per entity that no client can take (price
    `not-a-number`, id missing, id null).
    """

    products: int = 300
    orders: int = 100
    customers: int | None = None
    categories: int = len(words.CATEGORIES)
    seed: int = 1
    currency: str = "EUR"
    bad_records: int = 0

    @property
    def customer_count(self) -> int:
        """As many customers as asked for, else one for every five orders and some."""
        return self.orders // 5 + 10 if self.customers is None else self.customers


def scatter(seed: int, stream: int, index: int) -> int:
    """64 well-mixed bits for one thing of the shop (the finaliser of SplitMix64)."""
    z = seed * 0x9E3779B97F4A7C15 + stream * 0xD1B54A32D192ED03 + index * 0x8CB92BA72F3D8DD7
    z &= _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What variations and order lines need to know of a seeded product. Prices in minor units."""

    index: int
    kind: str
    status: str
    name: str
    slug: str
    sku: str
    regular: int | None
    sale: int | None
    variations: int
    bits: int

    @property
    def price(self) -> int:
        """What it costs now, 0 where no price is set."""
        return self.sale if self.sale is not None else self.regular or 0


def product_facts(seed: int, index: int) -> ProductFacts:
    """The seeded product of an index (from 0)."""
    bits = scatter(seed, 1, index)
    kind = _KINDS.get(index % 20, SIMPLE)
    if index % 9 == 4:
        name, slug = words.AWKWARD_NAMES[index // 9 % len(words.AWKWARD_NAMES)]
    else:
        adjective = words.ADJECTIVES[bits % len(words.ADJECTIVES)]
        noun = words.NOUNS[(bits >> 8) % len(words.NOUNS)]
        name, slug = f"{adjective} {noun}", f"{adjective}-{noun}".lower()
    regular: int | None = 250 + (bits >> 16) % 29_000
    if kind in (VARIABLE, GROUPED) or index % 31 == 12:
        regular = None
    on_sale = regular is not None and (bits >> 40) % 5 == 0
    return ProductFacts(
        index=index,
        kind=kind,
        status=_PRODUCT_STATUS.get(index % 50, "publish"),
        name=f"{name} {index + 1}",
        slug=f"{slug}-{index + 1}",
        sku=_sku(index),
        regular=regular,
        sale=regular * 4 // 5 if on_sale and regular is not None else None,
        variations=2 + (bits >> 32) % 5 if kind == VARIABLE else 0,
        bits=bits,
    )


def _sku(index: int) -> str:
    if index % 13 == 5:
        return ""
    # Imports that bypassed WooCommerce's check leave shops with doubled SKUs.
    holder = index - 1 if index % 25 == 24 else index
    return f"SKU-{holder + 1:05d}"


def variation_price(facts: ProductFacts, ordinal: int) -> int:
    """Minor units; variations of one product differ by one unit of the currency."""
    return 500 + (facts.bits >> 16) % 25_000 + 100 * ordinal


def order_status(index: int) -> str:
    """The seeded order's status: every status there is within forty orders."""
    return _ORDER_STATUS[index * 7 % len(_ORDER_STATUS)]


def order_currency(seed: ShopSeed, index: int) -> str:
    """The shop's own currency but for one order in twenty (none: JPY, three decimals: KWD)."""
    return {13: "JPY", 27: "KWD"}.get(index % 40, seed.currency)


def role(index: int) -> str:
    """The seeded user's role; index 0 is the administrator."""
    if index == 0:
        return _ROLES[0]
    return _ROLES.get(index % _ROLE_CYCLE, "customer") if index % _ROLE_CYCLE else "customer"


def history(bits: int) -> tuple[int, int]:
    """(created, modified) epoch seconds inside the seeded history."""
    created = HISTORY_START + bits % HISTORY_S
    left = HISTORY_START + HISTORY_S - created
    return created, created + (bits >> 20) % max(left, 1)


def api_key(seed: int, kind: str) -> tuple[str, str]:
    """(consumer key, consumer secret) of a seed: `ck_` and `cs_` with 40 hex digits each."""
    stream = {"read_write": 90, "read": 91, "write": 92}[kind]
    digits = "".join(f"{scatter(seed, stream, n):016x}" for n in range(5))
    return f"ck_{digits[:40]}", f"cs_{digits[40:80]}"

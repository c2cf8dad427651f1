"""API keys of a shop and the nonces they have used."""

from dataclasses import dataclass, field

from sandbox.woocommerce.seed import api_key


@dataclass(slots=True)
class ApiKey:
    """One key; `permissions` is `read`, `write` or `read_write`."""

    consumer_key: str
    consumer_secret: str = field(repr=False)
    permissions: str = "read_write"
    nonces: dict[str, int] = field(default_factory=dict, repr=False)


class KeyRing:
    """The keys of a shop: one of each permission, made from the seed."""

    def __init__(self, seed: int) -> None:
        self.read_write = ApiKey(*api_key(seed, "read_write"), "read_write")
        self.read = ApiKey(*api_key(seed, "read"), "read")
        self.write = ApiKey(*api_key(seed, "write"), "write")

    def replace(self, consumer_key: str, consumer_secret: str) -> None:
        """Use a given read and write key in place of the seeded one."""
        self.read_write = ApiKey(consumer_key, consumer_secret, "read_write")

    def all(self) -> tuple[ApiKey, ...]:
        """Every key."""
        return self.read_write, self.read, self.write

    def find(self, consumer_key: str) -> ApiKey | None:
        """The key of that name."""
        for key in self.all():
            if key.consumer_key == consumer_key:
                return key
        return None

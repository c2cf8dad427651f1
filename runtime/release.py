"""Which release runs here."""

import hashlib
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

from api.config import ApiConfig

_NAME: Final = "entrepot"
_ROOT: Final = Path(__file__).parent.parent
_ANSWERING: Final = ("api", "db", "domain", "providers")


def release_version() -> str:
    """The number of the release."""
    try:
        return version(_NAME)
    except PackageNotFoundError:  # run from a clone that was not installed
        return ApiConfig.model_fields["version"].default  # type: ignore[no-any-return]


def answers_digest(root: Path = _ROOT) -> str:
    """What the code that makes answers is told from other releases by, whatever their numbers.

    Of its sources: also an answer whose form the API's description leaves open may change.
    """
    digest = hashlib.blake2b(release_version().encode(), digest_size=16)
    for path in sorted(_sources(root)):
        digest.update(f"\x00{path.relative_to(root).as_posix()}\x00".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _sources(root: Path) -> Iterable[Path]:
    for package in _ANSWERING:
        yield from (root / package).rglob("*.py")

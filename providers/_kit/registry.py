"""Finds providers: every folder with a `PROVIDER` in its `__init__.py`.

Folders are looked at by name first and imported only when asked for, one at a time; a broken one
is reported and skipped, and the others work on.
"""

import importlib
import importlib.util
import pkgutil
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import MappingProxyType, ModuleType

import structlog

import providers
from domain.errors import NotFoundError
from providers._kit.protocols import Provider, StoreConfig

_log = structlog.get_logger(__name__)


class Registry:
    """The providers there are.

    Args:
        extra_paths: further folders that hold provider folders. Their code is imported as
            `providers.<folder>`, so a name may be taken only once.
    """

    def __init__(self, *, extra_paths: Sequence[Path] = ()) -> None:
        self._built_in = frozenset(_folders([Path(path) for path in providers.__path__]))
        self._extra = {
            name: path / name for path in extra_paths for name in sorted(_folders([path]))
        }
        self._loaded: dict[str, Provider] = {}
        self._broken: dict[str, str] = {}

    @property
    def slugs(self) -> tuple[str, ...]:
        """Names of all folders, sorted, broken ones among them."""
        return tuple(sorted(self._built_in | self._extra.keys()))

    @property
    def broken(self) -> Mapping[str, str]:
        """Folders that were tried and could not be used, with the reason."""
        return MappingProxyType(self._broken)

    def get(self, slug: str) -> Provider:
        """The provider of that name.

        Raises:
            NotFoundError: there is none, or its folder is broken; the message lists the known.
        """
        provider = self._load(slug) if slug in self._built_in or slug in self._extra else None
        if provider is None:
            known = ", ".join(name for name in self.slugs if name not in self._broken) or "none"
            reason = (
                f" (its folder is broken: {self._broken[slug]})" if slug in self._broken else ""
            )
            raise NotFoundError(f"There is no provider {slug[:60]!r}{reason}. Known: {known}.")
        return provider

    def all(self) -> tuple[Provider, ...]:
        """Every provider that works, by name."""
        found = (self._load(slug) for slug in self.slugs)
        return tuple(provider for provider in found if provider is not None)

    def _load(self, slug: str) -> Provider | None:
        if slug in self._loaded or slug in self._broken:
            return self._loaded.get(slug)
        try:
            provider = _checked(slug, self._import(slug))
        # Whatever a provider's code raises while it is imported breaks that provider alone.
        except Exception as error:  # noqa: BLE001
            self._broken[slug] = f"{type(error).__name__}: {error}"
            _log.warning("provider_skipped", provider=slug, reason=self._broken[slug])
            return None
        self._loaded[slug] = provider
        return provider

    def _import(self, slug: str) -> ModuleType:
        name = f"{providers.__name__}.{slug}"
        if slug not in self._extra:
            return importlib.import_module(name)
        if slug in self._built_in:
            raise ImportError(f"the name {slug!r} is taken by a provider of the hub")
        folder = self._extra[slug]
        spec = importlib.util.spec_from_file_location(
            name, folder / "__init__.py", submodule_search_locations=[str(folder)]
        )
        return _execute(name, spec)


def _folders(paths: Sequence[Path]) -> list[str]:
    return [
        found.name
        for found in pkgutil.iter_modules([str(path) for path in paths])
        if found.ispkg and not found.name.startswith("_")
    ]


def _execute(name: str, spec: ModuleSpec | None) -> ModuleType:
    if spec is None or spec.loader is None:
        raise ImportError(f"{name} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _checked(slug: str, module: ModuleType) -> Provider:
    provider: Provider | None = getattr(module, "PROVIDER", None)
    if provider is None:
        raise ImportError("its __init__.py has no PROVIDER")
    if provider.manifest.slug != slug:
        raise ImportError(f"its manifest's slug is not {slug!r}")
    if not issubclass(provider.config_model, StoreConfig):
        raise TypeError("its config_model is no StoreConfig")
    return provider

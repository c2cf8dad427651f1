from pathlib import Path

import pytest

from domain.errors import NotFoundError
from providers._kit.registry import Registry

GOOD = """
from providers._kit.protocols import Manifest, StoreConfig
from providers.{slug}.names import TITLE

class _Provider:
    manifest = Manifest(
        slug="{slug}", title=TITLE, entities=(), tracks_changes=frozenset(),
        page_size=10, instructions="",
    )
    config_model = StoreConfig

    def connect(self, config, facts, session):
        raise NotImplementedError

PROVIDER = _Provider()
"""


def _write(folder: Path, name: str, code: str) -> None:
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(code)
    (folder / name / "names.py").write_text("TITLE = 'Acme shops'\n")


def test_built_in_providers_are_found() -> None:
    registry = Registry()

    assert "woocommerce" in registry.slugs
    assert registry.get("woocommerce").manifest.title == "WooCommerce"
    assert [name for name in registry.slugs if name.startswith("_")] == []


def test_provider_in_another_folder_is_found(tmp_path: Path) -> None:
    _write(tmp_path, "acme_shop", GOOD.format(slug="acme_shop"))
    (tmp_path / "notes.txt").write_text("no provider")

    registry = Registry(extra_paths=[tmp_path])

    assert registry.get("acme_shop").manifest.title == "Acme shops"
    assert {one.manifest.slug for one in registry.all()} == set(Registry().slugs) | {"acme_shop"}


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        ("broken_code", "raise RuntimeError('half written')", "RuntimeError: half written"),
        ("broken_empty", "", "ImportError: its __init__.py has no PROVIDER"),
        (
            "broken_slug",
            GOOD.format(slug="broken_slug").replace('slug="broken_slug"', 'slug="other"'),
            "ImportError: its manifest's slug is not 'broken_slug'",
        ),
        (
            "broken_form",
            GOOD.format(slug="broken_form").replace(
                "config_model = StoreConfig", "config_model = dict"
            ),
            "TypeError: its config_model is no StoreConfig",
        ),
    ],
)
def test_broken_provider_is_reported_and_skipped(
    tmp_path: Path, name: str, code: str, reason: str
) -> None:
    _write(tmp_path, name, code)
    registry = Registry(extra_paths=[tmp_path])

    assert {one.manifest.slug for one in registry.all()} == set(Registry().slugs)
    assert registry.broken == {name: reason}
    with pytest.raises(NotFoundError, match="its folder is broken"):
        registry.get(name)


def test_names_of_the_hubs_own_providers_are_taken(tmp_path: Path) -> None:
    _write(tmp_path, "woocommerce", GOOD.format(slug="woocommerce"))

    registry = Registry(extra_paths=[tmp_path])
    with pytest.raises(NotFoundError, match="taken by a provider of the hub"):
        registry.get("woocommerce")


def test_folders_are_imported_only_when_asked_for(tmp_path: Path) -> None:
    _write(tmp_path, "broken_later", "raise RuntimeError")

    registry = Registry(extra_paths=[tmp_path])
    registry.get("woocommerce")

    assert registry.broken == {}


@pytest.mark.parametrize("slug", ["shopware", "_kit", "", "../etc", "x" * 500])
def test_unknown_provider_names_the_known(slug: str) -> None:
    with pytest.raises(NotFoundError, match=r"Known: .*woocommerce") as caught:
        Registry().get(slug)
    assert len(str(caught.value)) < 300

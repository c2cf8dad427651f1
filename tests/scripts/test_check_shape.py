"""Every rule of ours catches its breach, and lets the right thing pass."""

import subprocess
from pathlib import Path

import pytest

from scripts.check_shape import breaches, read_tree

CLEAN = {
    "providers/__init__.py": "",
    "providers/acme/__init__.py": "PROVIDER = 1\n",
    "providers/acme/client.py": "from providers.acme import mapper\nimport providers._kit\n",
    "providers/acme/golden/order_paid.wire.json": "{}",
    "providers/acme/golden/SOURCE.md": "recorded",
    "sandbox/acme.py": "# Acme's protocol\n",
    "runtime/cli/demo.py": "PROVIDER = 'acme'\n",
    "domain/money.py": "# acmeology is a word of its own\n",
    "db/migrations/versions/2026_initial.py": "\n" * 400,
    "requirements/dev.lock": "anyio==4.16.0 \\\n    --hash=sha256:00\n",
    "tests/providers/acme/test_mapper.py": "import providers.acme\nCASE = 'order_paid'\n",
}


def judge(root: Path, changed: dict[str, str]) -> list[str]:
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    for name, text in (CLEAN | changed).items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return breaches(read_tree(root))


def test_a_tree_that_keeps_the_rules_passes(tmp_path: Path) -> None:
    assert judge(tmp_path, {}) == []


@pytest.mark.parametrize(
    ("name", "text", "breach"),
    [
        (
            "api/orders.py",
            "\n" * 301,
            "api/orders.py: 301 lines, at most 300: split it by what it is about",
        ),
        (
            "api/__init__.py",
            "import os\n",
            "api/__init__.py: must be empty; import from the module itself",
        ),
        (
            "api/_helpers.py",
            "",
            "api/_helpers.py: '_helpers' says nothing about what is inside: name it for that",
        ),
        (
            "db/common/rows.py",
            "",
            "db/common/rows.py: 'common' says nothing about what is inside: name it for that",
        ),
        (
            "workflows/pull.py",
            "\nif provider == 'Acme': ...\n",
            "workflows/pull.py:2: names the provider 'Acme': ask for a capability",
        ),
        (
            "sandbox/cheat.py",
            "from providers.acme import client\n",
            "sandbox/cheat.py:1: imports providers.acme: go through the registry",
        ),
        (
            "providers/other/client.py",
            "import providers.acme.mapper\n",
            "providers/other/client.py:1: imports providers.acme.mapper: go through the registry",
        ),
        (
            "requirements/dev.lock",
            "--index-url https://mirror/simple\n",
            "requirements/dev.lock: holds '--index-url': make lock writes it without addresses",
        ),
        (
            "requirements/dev.lock",
            "anyio @ git+https://host/anyio\n",
            "requirements/dev.lock: holds 'git+https://': make lock writes it without addresses",
        ),
        (
            "providers/acme/golden/refund.wire.json",
            "{}",
            "providers/acme/golden/refund.wire.json: no test names 'refund': use it or remove it",
        ),
    ],
)
def test_a_breach_is_named_with_what_to_do(
    tmp_path: Path, name: str, text: str, breach: str
) -> None:
    assert list(dict.fromkeys(judge(tmp_path, {name: text})))[:1] == [breach]


def test_what_git_ignores_is_not_judged(tmp_path: Path) -> None:
    assert judge(tmp_path, {".gitignore": "/build/\n", "build/utils.py": ""}) == []

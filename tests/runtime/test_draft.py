from pathlib import Path
from shutil import copytree

import pytest

from db.migrate import MIGRATIONS
from runtime.draft import draft, main


def test_a_draft_follows_the_newest_migration_and_finds_the_models_as_they_are(
    tmp_path: Path,
) -> None:
    directory = copytree(MIGRATIONS, tmp_path / "migrations")
    before = set((directory / "versions").glob("*.py"))
    path = draft("add reviews", directory)
    text = path.read_text()
    newest = max(one.read_text().partition('revision: str = "')[2][:4] for one in before)
    assert path.name.endswith("_add_reviews.py")
    assert f"revision: str = '{int(newest) + 1:04d}'" in text
    assert f"down_revision: str | None = '{newest}'" in text
    body = text.partition('"""Apply the change."""')[2].partition("def downgrade")[0]
    statements = [line.strip() for line in body.splitlines() if line.strip()]
    assert [line for line in statements if not line.startswith("#")] == [
        "op.execute(\"set local lock_timeout = '5s'\")",
        "pass",
    ]


@pytest.mark.parametrize("message", ["", "  ", "...", "x" * 81])
def test_a_draft_needs_a_name(message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([message]) == 2
    assert capsys.readouterr().err == (
        "entrepot: say in 1 to 80 characters what the migration does\n"
    )

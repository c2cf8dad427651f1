"""What golden files keep of the records that a provider reads."""

import json
from pathlib import Path
from typing import Any

from domain.pages import Page, Pulled
from domain.records import Record


def check_page(page: Page[Record], path: Path, *, update: bool) -> None:
    """The page is what the file says, and nothing of it was left out. `update`: the file is made
    to say so first."""
    found = json.loads(json.dumps([_canonical(pulled) for pulled in page.records]))
    if update:
        path.write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n")
    assert found == json.loads(path.read_text())
    assert (page.rejected, page.skipped, page.tombstones) == ((), (), ())


def _canonical(pulled: Pulled[Record]) -> dict[str, Any]:
    return {
        "external_id": pulled.external_id,
        "version": pulled.version.isoformat() if pulled.version else None,
        "record": pulled.record.model_dump(mode="json", exclude_defaults=True),
        "levels": [level.model_dump(mode="json", exclude_none=True) for level in pulled.levels],
    }

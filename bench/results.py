"""`bench/results.json`: one object per bench; those that did not run keep theirs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

RESULTS: Final = Path(__file__).with_name("results.json")


def keep(path: Path, name: str, figures: Mapping[str, Any]) -> None:
    """Put the figures of one bench among the others."""
    known = json.loads(path.read_text()) if path.exists() else {}
    draft = path.with_suffix(".draft")
    draft.write_text(json.dumps({**known, name: figures}, indent=2) + "\n")
    draft.replace(path)

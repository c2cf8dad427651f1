"""The master key of an embedded installation."""

import stat
from pathlib import Path

from runtime.embedded.keys import KEY_FILE, load_or_make_key
from runtime.settings import decode_key


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    made = load_or_make_key(data_dir)
    assert load_or_make_key(data_dir) == made
    assert len(decode_key(made)) == 32
    assert stat.S_IMODE((data_dir / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in data_dir.iterdir()] == [KEY_FILE]

"""The master keys of an embedded installation."""

import stat
from pathlib import Path

from runtime.embedded.keys import KEY_FILE, ensure_key_file, new_key, replace_keys
from runtime.key_file import KeyFile


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    path = ensure_key_file(data_dir)
    made = path.read_text()
    assert ensure_key_file(data_dir).read_text() == made
    assert [len(key) for key in KeyFile(path).read()] == [32]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path.name for path in data_dir.iterdir()] == [KEY_FILE]


def test_keys_are_replaced_for_their_owner_alone_whatever_a_killed_one_left(
    tmp_path: Path,
) -> None:
    path = ensure_key_file(tmp_path)
    (tmp_path / ".encryption.key.next").write_text("half a k")
    first, second = new_key(), new_key()
    replace_keys(tmp_path, [first, second])
    assert KeyFile(path).read() == (first, second)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]

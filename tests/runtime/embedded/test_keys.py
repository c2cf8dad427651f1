"""The master keys of an embedded installation."""

import os
import stat
from pathlib import Path

import pytest

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


def test_a_first_key_is_made_whatever_a_killed_one_of_the_same_number_left(tmp_path: Path) -> None:
    (tmp_path / f".encryption.key.{os.getpid()}").write_text("half a k")
    assert len(KeyFile(ensure_key_file(tmp_path)).read()) == 1
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_keys_that_root_replaces_stay_their_owners(tmp_path: Path) -> None:
    path = ensure_key_file(tmp_path)
    os.chown(path, 1234, 1234)
    replace_keys(tmp_path, [new_key()])
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1234)


def test_a_key_is_on_the_disk_before_anything_is_sealed_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name in a folder outlives a power failure when the folder was written, too."""
    synced = list[bool]()
    real = os.fsync

    def fsync(descriptor: int) -> None:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        synced.append(is_folder and (tmp_path / KEY_FILE).exists())
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    ensure_key_file(tmp_path)
    assert synced[-1]
    synced.clear()
    replace_keys(tmp_path, [new_key()])
    assert synced[-1]

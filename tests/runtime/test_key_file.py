"""Keys in a file that several processes follow."""

from pathlib import Path

import pytest

from db.crypto import SecretBox
from domain.errors import SecretError
from runtime.embedded.keys import ensure_key_file, new_key, replace_keys
from runtime.key_file import KeyFile
from runtime.master_keys import secret_box
from runtime.settings import Settings

CONTEXT = "store/12"


def box_over(path: Path, **given: object) -> SecretBox:
    database = {"database_url": "postgresql://a:b@127.0.0.1/c"}
    settings = {**database, "encryption_key_file": path, "environment": "embedded", **given}
    return secret_box(Settings.model_validate(settings))


def test_a_file_is_read_again_only_when_it_was_replaced(tmp_path: Path) -> None:
    file = KeyFile(ensure_key_file(tmp_path))
    (key,) = file.read()
    assert file.reread() is None
    other = new_key()
    replace_keys(tmp_path, [other, key])
    assert file.reread() == (other, key)
    assert file.reread() is None


@pytest.mark.parametrize("content", ["", "\n", "half a key\n", "5a" * 32 + "\nnone\n"])
def test_what_is_no_file_of_keys_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "keys").write_text(content)
    with pytest.raises(ValueError, match="key"):
        KeyFile(tmp_path / "keys").read()


def test_nobody_seals_with_a_key_that_was_replaced_or_cannot_open_what_others_sealed(
    tmp_path: Path,
) -> None:
    path = ensure_key_file(tmp_path)
    (old,) = KeyFile(path).read()
    early, late = box_over(path), box_over(path)
    before = early.seal(b"before", context=CONTEXT)
    replace_keys(tmp_path, [new_key(), old])
    after = late.seal(b"after", context=CONTEXT)
    assert after.key_id == late.newest_key_id != before.key_id
    # It has sealed nothing since, and was not started anew.
    assert early.open(after, context=CONTEXT) == b"after"
    assert early.seal(b"more", context=CONTEXT).key_id == after.key_id
    assert early.open(before, context=CONTEXT) == b"before"


def test_a_key_that_is_gone_from_the_file_opens_nothing_after_the_next_look(
    tmp_path: Path,
) -> None:
    path = ensure_key_file(tmp_path)
    box = box_over(path)
    before = box.seal(b"before", context=CONTEXT)
    replace_keys(tmp_path, [new_key()])
    box.seal(b"after", context=CONTEXT)
    with pytest.raises(SecretError, match="which is not configured"):
        box.open(before, context=CONTEXT)


def test_without_its_file_nothing_is_sealed(tmp_path: Path) -> None:
    """What would be sealed could be read by nobody after a restart."""
    path = ensure_key_file(tmp_path)
    box = box_over(path)
    sealed = box.seal(b"before", context=CONTEXT)
    kept = path.read_text()
    path.unlink()
    with pytest.raises(SecretError, match="cannot be read again"):
        box.seal(b"after", context=CONTEXT)
    assert box.open(sealed, context=CONTEXT) == b"before"
    path.write_text(kept)
    assert box.open(box.seal(b"after", context=CONTEXT), context=CONTEXT) == b"after"


def test_keys_of_the_settings_are_read_beside_those_of_the_file(tmp_path: Path) -> None:
    elder = new_key()
    sealed = SecretBox([elder]).seal(b"before", context=CONTEXT)
    path = ensure_key_file(tmp_path)
    box = box_over(path, encryption_keys_old=elder.hex())
    replace_keys(tmp_path, [new_key()])
    box.seal(b"after", context=CONTEXT)
    assert box.open(sealed, context=CONTEXT) == b"before"

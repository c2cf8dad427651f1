from dataclasses import replace

import pytest

from db.crypto import Sealed, SecretBox, store_context
from domain.errors import SecretError

OLD, NEW, OTHER = b"o" * 32, b"n" * 32, b"x" * 32
PLAIN = b'{"consumerSecret": "cs_secret"}'
CONTEXT = store_context(12)


def flipped(text: str) -> str:
    """The hex text with its first bit turned over."""
    return f"{int(text[0], 16) ^ 8:x}" + text[1:]


def test_what_is_sealed_can_be_opened_and_does_not_show() -> None:
    box = SecretBox([NEW])
    sealed = box.seal(PLAIN, context=CONTEXT)
    assert box.open(sealed, context=CONTEXT) == PLAIN
    assert (len(sealed.iv), len(sealed.tag), len(sealed.encrypted_data)) == (24, 32, 2 * len(PLAIN))
    assert PLAIN.hex() not in sealed.encrypted_data


def test_sealing_twice_gives_different_ciphertexts() -> None:
    box = SecretBox([NEW])
    one, other = box.seal(PLAIN, context=CONTEXT), box.seal(PLAIN, context=CONTEXT)
    assert one.iv != other.iv
    assert one.encrypted_data != other.encrypted_data


@pytest.mark.parametrize("part", ["encrypted_data", "iv", "tag"])
@pytest.mark.parametrize("spoil", [flipped, lambda _: "", lambda text: text[:-2], lambda _: "zz"])
def test_a_ciphertext_that_was_altered_does_not_open(part: str, spoil: object) -> None:
    box = SecretBox([NEW])
    sealed = box.seal(PLAIN, context=CONTEXT)
    assert callable(spoil)
    broken = replace(sealed, **{part: spoil(getattr(sealed, part))})
    with pytest.raises(SecretError, match="store/12 was altered, or belongs"):
        box.open(broken, context=CONTEXT)


def test_a_ciphertext_moved_to_another_store_does_not_open() -> None:
    box = SecretBox([NEW])
    sealed = box.seal(PLAIN, context=CONTEXT)
    with pytest.raises(SecretError, match="store/13"):
        box.open(sealed, context=store_context(13))


def test_the_newest_key_seals_and_every_key_of_the_ring_opens() -> None:
    earlier = SecretBox([OLD]).seal(PLAIN, context=CONTEXT)
    rotated = SecretBox([NEW, OLD])
    assert rotated.open(earlier, context=CONTEXT) == PLAIN
    now = rotated.seal(PLAIN, context=CONTEXT)
    assert now.key_id == SecretBox([NEW]).seal(PLAIN, context=CONTEXT).key_id != earlier.key_id
    assert SecretBox([NEW]).open(now, context=CONTEXT) == PLAIN


def test_a_key_that_is_missing_is_named_with_the_setting_to_put_it_in() -> None:
    sealed = SecretBox([OLD]).seal(PLAIN, context=CONTEXT)
    with pytest.raises(SecretError) as refused:
        SecretBox([NEW]).open(sealed, context=CONTEXT)
    assert str(refused.value) == (
        f"a secret was encrypted with key {sealed.key_id}, which is not configured: "
        "add it to ENTREPOT_ENCRYPTION_KEYS_OLD"
    )


def test_another_key_under_the_same_name_does_not_open() -> None:
    sealed = SecretBox([OLD]).seal(PLAIN, context=CONTEXT)
    other = SecretBox([OTHER])
    posing = replace(sealed, key_id=other.seal(b"", context=CONTEXT).key_id)
    with pytest.raises(SecretError, match="altered"):
        other.open(posing, context=CONTEXT)


@pytest.mark.parametrize("keys", [[], [b"short"], [NEW, b"short"], [b"n" * 33]])
def test_a_ring_without_keys_of_32_bytes_is_refused(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        SecretBox(keys)


def test_no_key_and_no_plain_text_shows_in_repr_or_error() -> None:
    box = SecretBox([NEW, OLD])
    sealed = box.seal(PLAIN, context=CONTEXT)
    with pytest.raises(SecretError) as refused:
        box.open(sealed, context="elsewhere")
    shown = f"{box!r} {vars(box)!r} {sealed!r} {refused.value!r} {refused.value.__context__!r}"
    for secret in (NEW, OLD):
        assert secret.decode() not in shown
        assert secret.hex() not in shown
    assert "cs_secret" not in shown
    assert refused.value.__suppress_context__


def test_an_empty_secret_is_a_secret() -> None:
    box = SecretBox([NEW])
    sealed = box.seal(b"", context=CONTEXT)
    assert sealed.encrypted_data == ""
    assert box.open(sealed, context=CONTEXT) == b""
    with pytest.raises(SecretError):
        box.open(Sealed("", sealed.iv, flipped(sealed.tag), sealed.key_id), context=CONTEXT)

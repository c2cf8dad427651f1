import pytest
from pydantic import SecretStr

from db.passwords import (
    NOBODYS_HASH,
    check_new_password,
    hash_password,
    is_outdated,
    matches,
)


def test_a_password_is_kept_as_argon2id_with_a_salt() -> None:
    password = SecretStr("four words in a row")
    stored, again = hash_password(password), hash_password(password)
    assert stored.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert stored != again
    assert matches(password, stored)
    assert not matches(SecretStr("four words in a rov"), stored)
    assert not is_outdated(stored)
    assert is_outdated(stored.replace("t=1", "t=2"))


def test_nobodys_hash_costs_as_much_as_anybodys_and_is_no_password() -> None:
    assert not is_outdated(NOBODYS_HASH)
    assert not matches(SecretStr("nobody has this"), NOBODYS_HASH)


@pytest.mark.parametrize("stored", ["", "x", "$argon2id$v=19$m=1"])
def test_a_hash_that_is_none_matches_nothing(stored: str) -> None:
    assert not matches(SecretStr("four words in a row"), stored)


def test_the_same_text_is_the_same_password_however_it_is_composed() -> None:
    assert matches(SecretStr("cafe\u0301 au lait!!"), hash_password(SecretStr("café au lait!!")))


@pytest.mark.parametrize(
    ("length", "is_fine"), [(11, False), (12, True), (256, True), (257, False)]
)
def test_passwords_have_a_length(length: int, is_fine: bool) -> None:
    password = SecretStr("p" * length)
    if is_fine:
        assert check_new_password(password) is password
        return
    with pytest.raises(ValueError, match="12 to 256 characters") as refused:
        check_new_password(password)
    assert "ppp" not in str(refused.value)


def test_what_nobody_could_send_is_refused() -> None:
    """A terminal's line in another encoding, as Python reads it: no JSON has that password."""
    line = "p\u00e4ssword of the shop".encode("latin-1").decode("utf-8", "surrogateescape")
    with pytest.raises(ValueError, match="text in UTF-8"):
        check_new_password(SecretStr(line))

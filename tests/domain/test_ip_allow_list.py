import pytest

from domain.ip_allow_list import is_allowed, read_network


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (" 203.0.113.7 ", "203.0.113.7"),
        ("203.0.113.7/32", "203.0.113.7"),
        ("203.0.113.0/24", "203.0.113.0/24"),
        ("2001:DB8:0::/32", "2001:db8::/32"),
        ("2001:db8::1/128", "2001:db8::1"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
    ],
)
def test_a_network_has_one_spelling(text: str, meant: str) -> None:
    assert read_network(text) == meant


@pytest.mark.parametrize("text", ["", "office", "203.0.113", "203.0.113.7/33", "1.2.3.4,5.6.7.8"])
def test_what_is_no_network_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither an address nor a network"):
        read_network(text)


def test_an_address_with_a_mask_says_which_of_two_it_may_be() -> None:
    with pytest.raises(ValueError, match=r"write 10.1.2.3 for the address or 10.0.0.0/8"):
        read_network("10.1.2.3/8")


@pytest.mark.parametrize(
    ("address", "allowed", "expected"),
    [
        ("198.51.100.1", [], True),
        ("", [], True),
        ("203.0.113.7", ["203.0.113.7"], True),
        ("203.0.113.8", ["203.0.113.7"], False),
        ("203.0.113.8", ["10.0.0.0/8", "203.0.113.0/24"], True),
        ("::ffff:203.0.113.8", ["203.0.113.0/24"], True),
        ("2001:db8::9", ["2001:db8::/32"], True),
        ("2001:db9::9", ["2001:db8::/32"], False),
        ("fe80::1%eth0", ["fe80::/10"], True),
        ("203.0.113.7", ["2001:db8::/32"], False),
        ("", ["203.0.113.7"], False),
        ("testclient", ["203.0.113.7"], False),
    ],
)
def test_only_who_is_listed_is_let_in(address: str, allowed: list[str], expected: bool) -> None:
    assert is_allowed(address, allowed) is expected

import re

import pytest

from providers._kit.store_url import normalise_store_url


@pytest.mark.parametrize(
    ("typed", "url"),
    [
        ("https://shop.example", "https://shop.example"),
        ("  https://Shop.Example/ ", "https://shop.example"),
        ("https://shop.example:443/", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://127.0.0.1:8090/", "http://127.0.0.1:8090"),
        ("https://shop.example/my/Shop//", "https://shop.example/my/Shop"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("http://[::1]:8090/", "http://[::1]:8090"),
        ("https://shop.example/a/api/v1", "https://shop.example/a"),
    ],
)
def test_one_address_has_one_form(typed: str, url: str) -> None:
    assert normalise_store_url(typed, strip_path=re.compile(r"/api(/.*)?$")) == url


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("shop.example", "must begin with https"),
        ("ftp://shop.example", "Only http"),
        ("https://", "names no host"),
        ("https://u:p@shop.example", "user name or password"),
        ("https://shop.example/?page=1", "before any"),
        ("https://shop.example/#top", "before any"),
        ("https://shop .example", "characters"),
        ("https://shop.example\\@evil.example", "characters"),
        ("https://shop.example/" + "a" * 2000, "characters or a length"),
        ("https://sh%6fp.example", "host name is not one"),
        ("https://" + "a" * 70 + ".example", "host name is not one"),
    ],
)
def test_what_is_no_store_address_says_why(typed: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        normalise_store_url(typed)

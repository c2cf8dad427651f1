from typing import Any

import pytest

from domain.records import Image
from providers.woocommerce.images import fetches, image_rows, read_sources, sources_entry

HOST = "shop.example"
KEPT = Image(src=f"https://{HOST}/wp-content/uploads/2026/11/lamp-scaled.jpg", external_id="7")
OURS = Image(src="https://cdn.example/a/lamp.jpg", external_id="8")


def rows(*images: Image, current: tuple[Image, ...] = (KEPT, OURS)) -> list[dict[str, Any]] | None:
    return image_rows(images, current, shop_host=HOST)


def test_the_same_pictures_are_not_sent() -> None:
    assert rows(KEPT, OURS) is None
    assert rows(current=()) is None
    # Copies of unknown origin are told by their file's name, whoever has the other one.
    other = Image(src="https://cdn.example/x/Lamp-1.png")
    assert rows(other, OURS) is None


def test_a_new_order_sends_ids() -> None:
    sent = rows(OURS, KEPT)
    assert sent == [{"id": 8}, {"id": 7}]
    assert not fetches(sent)


def test_a_picture_less_and_a_new_text() -> None:
    assert rows(OURS) == [{"id": 8}]
    assert rows() == []
    told = OURS.model_copy(update={"alt": "Lamp", "name": "The lamp"})
    assert rows(KEPT, told) == [{"id": 7}, {"id": 8, "alt": "Lamp", "name": "The lamp"}]


def test_another_picture_is_fetched_though_its_file_has_the_same_name() -> None:
    replaced = Image(src="https://cdn.example/b/lamp.jpg", alt="New")
    sent = rows(replaced, current=(OURS,))
    assert sent == [{"src": replaced.src, "alt": "New"}]
    assert fetches(sent)


def test_a_picture_without_an_id_in_the_shop_is_sent_by_address() -> None:
    outside = Image(src="https://cdn.example/a/lamp.jpg")
    assert rows(outside, KEPT, current=(outside, KEPT)) == [{"src": outside.src}, {"id": 7}]


@pytest.mark.parametrize(
    "meta",
    [
        None,
        {},
        [],
        [{"key": "_hub_images"}],
        [{"key": "_hub_images", "value": ["7 x"]}],
        ["x"],
        [{"key": "_hub_images", "value": "no line\n0 x\n 7 https://a"}],
    ],
)
def test_meta_data_of_another_kind_is_passed_over(meta: Any) -> None:
    assert read_sources(meta) == {}


def test_where_copies_came_from_is_kept_for_those_that_are_left() -> None:
    row = {
        "images": [{"id": 8}, {"id": 9}],
        "meta_data": [{"id": 3, "key": "_hub_images", "value": "7 https://a/x\n8 https://a/y"}],
    }
    entry = sources_entry([{"id": 8}, {"src": "https://a/z"}], row)

    assert entry == {"id": 3, "key": "_hub_images", "value": "8 https://a/y\n9 https://a/z"}
    assert read_sources([entry]) == {"8": "https://a/y", "9": "https://a/z"}
    # An answer with other pictures says nothing about those that were sent.
    assert sources_entry([{"src": "https://a/z"}], row)["value"] == "8 https://a/y"

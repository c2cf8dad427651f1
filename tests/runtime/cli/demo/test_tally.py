from runtime.cli.demo.tally import Found, Tally, tally

EXPECTED = {"1": {"title": "Tea"}, "2": {"title": "Cup"}}


def test_equal_sides_differ_in_nothing() -> None:
    found = [Found(("1",), {"title": "Tea"}), Found(("2",), {"title": "Cup"})]
    counts, lines = tally("products", EXPECTED, found)
    assert counts == Tally(sandbox=2, hub=2, missing=0, extra=0, doubled=0, stale=0)
    assert counts.is_right
    assert lines == []


def test_each_difference_is_counted_and_told() -> None:
    found = [
        Found(("1",), {"title": "Coffee"}),
        Found(("1",), {"title": "Tea"}),
        Found(("3",), {"title": "Jar"}),
        Found((), {"title": "Lost"}),
    ]
    counts, lines = tally("products", EXPECTED, found)
    assert counts == Tally(sandbox=2, hub=4, missing=1, extra=2, doubled=1, stale=1)
    assert not counts.is_right
    assert lines == [
        "products missing 2",
        "products extra 3",
        "products doubled 1",
        "products stale 1: title is 'Coffee' instead of 'Tea'",
        "products extra, with no id at the shop: {'title': 'Lost'}",
    ]


def test_a_record_with_two_ids_is_doubled() -> None:
    counts, lines = tally("products", EXPECTED, [Found(("1", "2"), {"title": "Tea"})])
    assert counts == Tally(sandbox=2, hub=1, missing=0, extra=0, doubled=1, stale=1)
    assert lines == [
        "products doubled 1 and 2",
        "products stale 2: title is 'Tea' instead of 'Cup'",
    ]


def test_a_field_that_only_one_side_has_is_a_difference() -> None:
    counts, lines = tally(
        "products", {"1": {"title": "Tea", "price": None}}, [Found(("1",), {"title": "Tea"})]
    )
    assert counts.stale == 1
    assert lines == ["products stale 1: price is None instead of None"]

from domain.records import Variant
from domain.variant_pairs import HubVariant, pair_variants


def theirs(key: str, sku: str = "", **options: str) -> Variant:
    return Variant(external_id=key, sku=sku, option_values=options)


def test_what_is_linked_stays_whatever_it_is_called_now() -> None:
    ours = [HubVariant(1, "A", external_id="a"), HubVariant(2, "B", external_id="b")]
    assert pair_variants(ours, [theirs("a", "B"), theirs("b", "A")]) == ((1, "a"), (2, "b"))


def test_the_same_sku_is_the_same_variant_in_any_order() -> None:
    ours = [HubVariant(1, "A"), HubVariant(2, "B")]
    assert pair_variants(ours, [theirs("b", "B"), theirs("a", "A")]) == ((1, "a"), (2, "b"))


def test_without_a_sku_the_options_tell() -> None:
    ours = [HubVariant(1, option_values={"Size": "S"}), HubVariant(2, option_values={"Size": "L"})]
    found = pair_variants(ours, [theirs("l", size="l"), theirs("s", Size="S")])
    assert found == ((1, "s"), (2, "l"))


def test_what_two_have_in_common_tells_nothing() -> None:
    ours = [HubVariant(1, "A"), HubVariant(2, "A")]
    assert pair_variants(ours, [theirs("a", "A"), theirs("b", "A")]) == ()


def test_the_only_one_is_the_only_one() -> None:
    assert pair_variants([HubVariant(1, "A")], [theirs("a", "B")]) == ((1, "a"),)
    assert pair_variants([HubVariant(1, "A")], [theirs("a"), theirs("b")]) == ()


def test_what_was_just_sent_is_answered_in_order() -> None:
    ours = [HubVariant(1), HubVariant(2), HubVariant(3, "C")]
    answered = [theirs("c", "C"), theirs("x"), theirs("y")]
    assert pair_variants(ours, answered, in_order=True) == ((1, "x"), (2, "y"), (3, "c"))
    assert pair_variants(ours, answered) == ((3, "c"),)
    assert pair_variants(ours, answered[:2], in_order=True) == ((3, "c"),)

import pytest

from tests.runtime.cli.conftest import Demos

pytestmark = pytest.mark.xdist_group("hub")

ENTITIES = {"categories", "products", "variants", "levels", "customers", "guests", "orders"}


def test_every_record_of_the_shop_is_right_in_the_hub(demos: Demos) -> None:
    assert demos.first["entities"].keys() == ENTITIES
    for counts in demos.first["entities"].values():
        assert counts["sandbox"] == counts["hub"] > 0
        wrong = {name: counts[name] for name in ("missing", "extra", "doubled", "stale")}
        assert wrong == dict.fromkeys(wrong, 0)
    told = ("ok", "unchanged", "differences")
    assert [demos.first[name] for name in told] == [True, False, []]


def test_a_second_demo_finds_everything_unchanged(demos: Demos) -> None:
    assert demos.second["entities"] == demos.first["entities"]
    assert (demos.second["ok"], demos.second["unchanged"]) == (True, True)
    for one in demos.second["import"].values():
        assert one["seen"] == one["unchanged"] > 0
        assert one["created"] == one["updated"] == one["deleted"] == one["rejected"] == 0

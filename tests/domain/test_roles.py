import pytest

from db.keys import Permission
from domain.roles import PERMISSIONS_OF, Role, permissions_of


def test_every_role_has_permissions_that_there_are() -> None:
    assert set(PERMISSIONS_OF) == set(Role)
    for permissions in PERMISSIONS_OF.values():
        assert permissions <= set(Permission)


def test_a_viewer_changes_nothing_and_only_an_owner_makes_keys() -> None:
    assert all(one.endswith(":read") for one in permissions_of("viewer"))
    assert permissions_of("viewer") < permissions_of("operator")
    assert not {"keys:write", "audit:read", "*"} & permissions_of("operator")
    assert permissions_of("owner") == {"*"}


@pytest.mark.parametrize("role", ["", "root", "OWNER", "*"])
def test_a_role_that_is_none_may_do_nothing(role: str) -> None:
    assert permissions_of(role) == frozenset()

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidRecordError
from domain.pages import Pulled
from domain.reconcile import Action, Incoming, LinkState, Plan, decide, latest, prepare, reconcile
from domain.records import Category, fingerprint, snapshot

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def at(second: int | None) -> datetime | None:
    return None if second is None else T0 + timedelta(seconds=second)


def incoming(external_id: str, name: str, version: int | None = None) -> Incoming:
    return prepare(Pulled(external_id, Category(name=name), at(version)))


def linked(
    name: str | None,
    version: int | None = None,
    *,
    record_id: int = 1,
    deleted: bool = False,
    heard: int | None = None,
) -> LinkState:
    digest = None if name is None else fingerprint(snapshot(Category(name=name)))
    return LinkState(record_id, digest, at(version), deleted, heard_at=at(heard))


def after(links: dict[str, LinkState], plan: Plan) -> dict[str, LinkState]:
    """The links as the database has them once a plan is carried out."""
    known = dict(links)
    for one in plan.writes:
        held = links.get(one.external_id)
        number = held.record_id if held else 1000 + len(known)
        known[one.external_id] = LinkState(number, one.digest, one.version, is_deleted=False)
    for one in plan.confirmed:
        held = links[one.external_id]
        known[one.external_id] = LinkState(held.record_id, held.digest, one.version, False)
    for key in plan.deleted:
        held = links[key]
        known[key] = LinkState(held.record_id, held.digest, held.version, is_deleted=True)
    return known


keys = st.sampled_from([str(number) for number in range(6)])
versions = st.one_of(st.none(), st.integers(0, 5))
batches = st.lists(st.builds(incoming, keys, st.sampled_from("abc"), versions), max_size=12)
states = st.builds(
    linked,
    st.one_of(st.none(), st.sampled_from("abc")),
    versions,
    deleted=st.booleans(),
    heard=versions,
)
link_maps = st.dictionaries(keys, states)
tombstone_lists = st.lists(keys, max_size=6)
# What a store really sends: one content for each version of a record. Every third version takes
# back an edit, so different versions may have the same content.
histories = st.lists(
    st.builds(
        lambda key, version: incoming(key, f"{key} at {version % 3}", version),
        keys,
        st.integers(0, 9),
    ),
    max_size=20,
)


@pytest.mark.parametrize(
    ("record", "link", "action"),
    [
        (incoming("1", "a", 5), None, Action.CREATED),
        (incoming("1", "a", 5), linked("a", 5), Action.UNCHANGED),
        (incoming("1", "a", 6), linked("a", 5), Action.CONFIRMED),
        (incoming("1", "a", 5), linked("a"), Action.CONFIRMED),
        (incoming("1", "a"), linked("a", 5), Action.UNCHANGED),
        (incoming("1", "a", 4), linked("a", 5), Action.STALE),
        (incoming("1", "b", 6), linked("a", 5), Action.UPDATED),
        (incoming("1", "b", 5), linked("a", 5), Action.UPDATED),
        (incoming("1", "b", 4), linked("a", 5), Action.STALE),
        (incoming("1", "b"), linked("a", 5), Action.UPDATED),
        (incoming("1", "b", 4), linked("a", 5, heard=9), Action.STALE),
        (incoming("1", "b", 4), linked("a"), Action.UPDATED),
        (incoming("1", "b"), linked("a"), Action.UPDATED),
        (incoming("1", "a"), linked("a"), Action.UNCHANGED),
        (incoming("1", "a"), linked(None), Action.UPDATED),
        (incoming("1", "a", 5), linked("a", 5, deleted=True), Action.UPDATED),
        (incoming("1", "a", 4), linked("a", 5, deleted=True), Action.UPDATED),
    ],
)
def test_a_record_is_judged_by_what_its_link_remembers(
    record: Incoming, link: LinkState | None, action: Action
) -> None:
    assert decide(record, link) is action


@pytest.mark.parametrize(
    ("name", "heard", "action"),
    [
        ("b", 9, Action.UPDATED),
        ("b", None, Action.UPDATED),
        ("a", 9, Action.CONFIRMED),
        ("b", 10, Action.STALE),
        ("b", 11, Action.STALE),
        ("a", 11, Action.STALE),
    ],
)
def test_an_older_version_counts_by_force_unless_the_record_was_heard_of_since(
    name: str, heard: int | None, action: Action
) -> None:
    link = linked("a", 5, heard=heard)
    assert decide(incoming("1", name, 4), link, read_at=at(10)) is action


def test_a_batch_is_sorted_into_what_has_to_be_done() -> None:
    links = {
        "2": linked("a", 1),
        "3": linked("a", 9),
        "4": linked("a", 1),
        "5": linked("a", 1, deleted=True),
        "7": linked("a", 1),
        "8": linked("a", 1),
    }
    new, changed, stale = incoming("1", "n", 1), incoming("2", "b", 2), incoming("3", "b", 2)
    same, touched = incoming("7", "a", 1), incoming("8", "a", 2)
    plan = reconcile([stale, new, touched, changed, same], ["4", "5", "6", "4"], links)
    assert plan == Plan(
        created=(new,),
        updated=(changed,),
        unchanged=("7",),
        confirmed=(touched,),
        stale=("3",),
        deleted=("4",),
    )
    assert plan.contested == {"2", "4", "8"}


def test_a_record_in_the_batch_outweighs_a_tombstone_of_the_same_id() -> None:
    record = incoming("1", "b", 2)
    assert reconcile([record], ["1"], {"1": linked("a", 1)}) == Plan(updated=(record,))


def test_writes_come_in_key_order_whatever_becomes_of_the_records() -> None:
    plan = reconcile([incoming(key, "x") for key in ("9", "10", "1")], (), {"10": linked("a")})
    assert [one.external_id for one in plan.writes] == ["1", "10", "9"]


def test_of_two_versions_in_a_batch_the_newer_counts_and_of_equal_ones_the_last() -> None:
    new, old = incoming("1", "new", 2), incoming("1", "old", 1)
    first, last = incoming("2", "first", 1), incoming("2", "last", 1)
    assert latest([new, old, first, last]) == {"1": new, "2": last}


def test_a_nul_character_is_refused_because_no_text_column_keeps_it() -> None:
    with pytest.raises(InvalidRecordError, match=r"U\+0000"):
        incoming("1", "a\x00b")


@pytest.mark.parametrize("name", ["a\\u0000b", "\\\\u0000", "u0000", "\\x00", "\x01"])
def test_text_that_only_looks_like_a_nul_character_is_kept(name: str) -> None:
    assert incoming("1", name).snapshot == snapshot(Category(name=name))


@pytest.mark.parametrize("name", ["\x00", "\\\x00", "\\\\\x00u0000", "\\u0000\x00"])
def test_a_nul_character_is_found_behind_backslashes(name: str) -> None:
    with pytest.raises(InvalidRecordError, match="NUL"):
        incoming("1", name)


@given(batch=batches, tombstones=tombstone_lists, links=link_maps)
def test_every_id_is_in_exactly_one_place(
    batch: list[Incoming], tombstones: list[str], links: dict[str, LinkState]
) -> None:
    plan = reconcile(batch, tombstones, links)
    placed = [
        *(one.external_id for one in plan.created),
        *(one.external_id for one in plan.updated),
        *(one.external_id for one in plan.confirmed),
        *plan.unchanged,
        *plan.stale,
        *plan.deleted,
    ]
    in_batch = {one.external_id for one in batch}
    doomed = {key for key in tombstones if key in links and not links[key].is_deleted}
    assert sorted(placed) == sorted(in_batch | (doomed - in_batch))


@given(batch=batches, tombstones=tombstone_lists, links=link_maps)
def test_a_batch_taken_in_again_changes_nothing(
    batch: list[Incoming], tombstones: list[str], links: dict[str, LinkState]
) -> None:
    once = after(links, reconcile(batch, tombstones, links))
    again = reconcile(batch, tombstones, once)
    assert (again.writes, again.contested) == ((), set())
    assert sorted((*again.unchanged, *again.stale)) == sorted({one.external_id for one in batch})


@given(batch=batches, tombstones=tombstone_lists, links=link_maps)
def test_what_is_created_has_no_link_and_what_is_deleted_had_a_living_one(
    batch: list[Incoming], tombstones: list[str], links: dict[str, LinkState]
) -> None:
    plan = reconcile(batch, tombstones, links)
    assert all(one.external_id not in links for one in plan.created)
    assert all(one.external_id in links for one in plan.updated)
    assert all(not links[key].is_deleted for key in plan.deleted)


@given(batch=batches, tombstones=tombstone_lists, links=link_maps, began=st.integers(1, 7))
def test_by_force_what_was_read_outweighs_all_that_was_heard_before_and_nothing_since(
    batch: list[Incoming], tombstones: list[str], links: dict[str, LinkState], began: int
) -> None:
    read_at = T0 + timedelta(seconds=began)
    plan = reconcile(batch, tombstones, links, force=True, read_at=read_at)
    for key, one in latest(batch).items():
        link = links.get(key)
        is_heard_since = link is not None and (link.heard_at or T0) >= read_at
        if link is None or not is_heard_since:
            assert key not in plan.stale
            assert (
                one.version is None
                or one in plan.writes
                or one in plan.confirmed
                or (key in plan.unchanged and link is not None and link.version == one.version)
            )
    since = {key: one for key, one in links.items() if (one.heard_at or T0) >= read_at}
    heard = [one for one in batch if one.external_id in since]
    assert reconcile(heard, (), since, force=True, read_at=read_at) == reconcile(heard, (), since)
    assert reconcile(batch, (), links, read_at=read_at) == reconcile(batch, (), links)


@given(history=histories, seed=st.integers(0, 100), size=st.integers(1, 5))
def test_the_newest_version_wins_in_whatever_order_and_batches_it_arrives(
    history: list[Incoming], seed: int, size: int
) -> None:
    shuffled = random.Random(seed).sample(history, len(history))
    links: dict[str, LinkState] = {}
    for start in range(0, len(shuffled), size):
        links = after(links, reconcile(shuffled[start : start + size], (), links))
    newest: dict[str, Incoming] = {}
    for one in sorted(history, key=lambda one: one.version or T0):
        newest[one.external_id] = one
    held = {key: (link.digest, link.version) for key, link in links.items()}
    assert held == {key: (one.digest, one.version) for key, one in newest.items()}


@given(history=histories, links=link_maps, seed=st.integers(0, 100))
def test_the_order_within_a_batch_does_not_matter(
    history: list[Incoming], links: dict[str, LinkState], seed: int
) -> None:
    shuffled = random.Random(seed).sample(history, len(history))
    one, other = reconcile(history, (), links), reconcile(shuffled, (), links)
    assert (one.writes, one.contested) == (other.writes, other.contested)
    assert sorted(one.unchanged) == sorted(other.unchanged)

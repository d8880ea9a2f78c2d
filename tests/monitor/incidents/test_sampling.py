import random
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.incidents.sampling import MAX_STRATA, OTHER_STRATA, SampledStratum, StratifiedSample

Rows = Sequence[tuple[str, str]]
rows_strategy = st.lists(st.tuples(st.sampled_from("abcd"), st.text(max_size=4)), max_size=60)


def sampled(
    rows: Rows, max_rows: int = 10, incident_id: str = "an incident"
) -> tuple[SampledStratum, ...]:
    sample = StratifiedSample(incident_id=incident_id, max_rows=max_rows)
    for stratum, row in rows:
        sample.add(stratum, row)
    return sample.strata()


@settings(max_examples=60, deadline=None)
@given(rows=rows_strategy, max_rows=st.integers(1, 70), seed=st.integers(0, 9))
def test_the_order_of_reading_makes_no_difference(rows: Rows, max_rows: int, seed: int) -> None:
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)

    assert sampled(shuffled, max_rows) == sampled(rows, max_rows)


@settings(max_examples=60, deadline=None)
@given(rows=rows_strategy, max_rows=st.integers(1, 70))
def test_the_cap_holds_every_row_is_counted_and_what_is_kept_was_there(
    rows: Rows, max_rows: int
) -> None:
    strata = sampled(rows, max_rows)

    assert sum(len(each.kept) for each in strata) == min(max_rows, len(rows))
    assert sum(each.n_rows for each in strata) == len(rows)
    for each in strata:
        there = [row for stratum, row in rows if stratum == each.name]
        assert each.n_rows == len(there)
        assert all(each.kept.count(row) <= there.count(row) for row in each.kept)


def test_a_rare_stratum_is_not_lost_beside_a_frequent_one() -> None:
    rows = [("frequent", f"f{n}") for n in range(1_000)] + [("rare", f"r{n}") for n in range(3)]

    frequent, rare = sampled(rows, 10)

    assert (len(frequent.kept), len(rare.kept)) == (7, 3)


def test_another_incident_gets_other_rows() -> None:
    rows = [("a", str(n)) for n in range(1_000)]

    (first,), (second,) = sampled(rows, incident_id="one"), sampled(rows, incident_id="two")

    assert set(first.kept) != set(second.kept)


def test_strata_beyond_the_first_hundred_are_taken_together() -> None:
    rows = [(f"s{n:03}", f"{n}-{k}") for n in range(MAX_STRATA + 20) for k in range(2)]

    strata = {each.name: each for each in sampled(rows, 500)}

    assert len(strata) == MAX_STRATA + 1
    assert strata[OTHER_STRATA].n_rows == 40

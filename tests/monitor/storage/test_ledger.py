import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.storage import Store
from monitor.storage.ledger import Partial

HOUR = 3_600_000_000


def partials(*windows: tuple[str, int], body: bytes = b"counts") -> list[Partial]:
    return [(slice_, hour * HOUR, (hour + 1) * HOUR, body) for slice_, hour in windows]


def test_a_finished_unit_stays_finished_after_reopening(database_url: str) -> None:
    with Store.open(database_url) as store:
        store.ledger("job").put("a.jsonl:0", n_records=3, n_rows=2, rejected={"invalid_json": 1})

    with Store.open(database_url) as store:
        ledger = store.ledger("job")

        assert ledger.finished() == {"a.jsonl:0"}
        assert store.ledger("another job").finished() == frozenset()


def test_a_unit_that_is_put_twice_counts_once(store: Store) -> None:
    ledger = store.ledger("job")
    unit = {"n_records": 5, "n_rows": 4, "rejected": {"invalid_json": 1}}

    first = ledger.put("u", **unit, partials=partials(("all", 0)))
    second = ledger.put("u", **unit, partials=partials(("all", 0)))

    assert (first, second) == (True, False)
    assert ledger.totals().n_rows == 4
    assert list(ledger.merged()) == [(0, HOUR, "all", [b"counts"])]


def test_a_unit_whose_partials_fail_leaves_nothing_behind(store: Store) -> None:
    ledger = store.ledger("job")

    def breaking() -> object:
        yield from partials(("all", 0))
        message = "the worker died"
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match="worker died"):
        ledger.put("u", n_records=1, n_rows=1, rejected={}, partials=breaking())

    assert ledger.finished() == frozenset()
    assert list(ledger.merged()) == []


def test_totals_add_up_what_the_units_held(store: Store) -> None:
    ledger = store.ledger("job")
    ledger.put("a", n_records=10, n_rows=7, n_lines=11, rejected={"x": 2, "y": 1})
    ledger.put("b", n_records=5, n_rows=4, n_lines=5, rejected={"x": 1}, remarks={"odd": 3})

    totals = ledger.totals()

    assert (totals.n_units, totals.n_records, totals.n_rows, totals.n_lines) == (2, 15, 11, 16)
    assert totals.rejected == {"x": 3, "y": 1}
    assert totals.remarks == {"odd": 3}


def test_rejected_records_are_kept_with_their_unit(store: Store) -> None:
    ledger = store.ledger("job")
    ledger.put(
        "a",
        n_records=1,
        n_rows=0,
        rejected={"invalid_json": 1},
        samples=[{"reason": "invalid_json", "line": 7}],
    )

    samples = ledger.samples()

    assert samples == ({"unit_id": "a", "reason": "invalid_json", "line": 7},)


def test_clearing_forgets_one_job_alone(store: Store) -> None:
    for job in ("one", "two"):
        store.ledger(job).put(
            "u",
            n_records=1,
            n_rows=0,
            rejected={"x": 1},
            samples=[{"reason": "x"}],
            partials=partials(("all", 0)),
        )

    store.ledger("one").clear()

    assert store.ledger("one").finished() == frozenset()
    assert list(store.ledger("one").merged()) == []
    assert store.ledger("two").finished() == {"u"}
    assert len(list(store.ledger("two").merged())) == 1


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    n_units=st.integers(0, 40),
    slices=st.sets(st.sampled_from(["all", "region=EU", "region=Ü", "Region=B"]), min_size=1),
    seed=st.integers(0, 1_000),
)
def test_the_order_in_which_units_finish_does_not_show_in_the_merge(
    tmp_path: Path, n_units: int, slices: set[str], seed: int
) -> None:
    order = list(range(n_units))
    random.Random(seed).shuffle(order)

    def merged(sequence: list[int]) -> list[object]:
        with Store.open("sqlite://") as store:
            ledger = store.ledger("job")
            for number in sequence:
                ledger.put(
                    f"unit {number}",
                    n_records=1,
                    n_rows=1,
                    rejected={},
                    partials=partials(*((s, number % 5) for s in slices), body=b"%d" % number),
                )
            return list(ledger.merged())

    straight, shuffled = merged(sorted(order)), merged(order)

    assert straight == shuffled
    assert [row[0:1] + row[2:3] for row in straight] == sorted(
        {(hour % 5 * HOUR, s) for hour in order for s in slices}
    )
    assert sum(len(bodies) for *_, bodies in straight) == n_units * len(slices)


def test_more_partials_than_a_page_come_back_whole(store: Store) -> None:
    ledger = store.ledger("job")
    for number in range(150):
        ledger.put(
            f"u{number:03}",
            n_records=1,
            n_rows=1,
            rejected={},
            partials=partials(("all", 0), body=b"%d" % number),
        )

    ((_, _, _, bodies),) = ledger.merged()

    assert bodies == [b"%d" % number for number in range(150)]


def test_results_may_be_written_while_the_merge_is_read(store: Store) -> None:
    ledger = store.ledger("job")
    ledger.put("u", n_records=1, n_rows=1, rejected={}, partials=partials(("all", 0), ("all", 1)))

    with store.begin():
        for start, _end, _slice, _bodies in ledger.merged():
            ledger.put(f"later {start}", n_records=1, n_rows=1, rejected={})

    assert len(ledger.finished()) == 3

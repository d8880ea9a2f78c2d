"""The store keeps every version, says who promoted which, and loses nothing in a crash."""

import dataclasses
import json
from pathlib import Path

import pytest

from baselines.baseline import Baseline
from baselines.codec import BaselineFormatError
from baselines.store import BaselineStore, BaselineStoreError
from baselines.summary import WindowSummary


@pytest.fixture
def store(tmp_path: Path) -> BaselineStore:
    return BaselineStore(tmp_path / "baselines")


def version(baseline: Baseline, created_at_us: int) -> Baseline:
    counts = baseline.references["all"].counts + created_at_us
    return dataclasses.replace(
        baseline,
        references={"all": WindowSummary(baseline.layout, counts)},
        provenance=dataclasses.replace(baseline.provenance, created_at_us=created_at_us),
    )


def test_what_is_saved_is_loaded_by_id_and_by_prefix(
    store: BaselineStore, golden_baseline: Baseline
) -> None:
    baseline_id = store.save(golden_baseline)

    assert baseline_id == golden_baseline.id
    assert store.load(baseline_id) == golden_baseline
    assert store.load(baseline_id[:6]) == golden_baseline


def test_saving_twice_leaves_one_untouched_file(
    store: BaselineStore, golden_baseline: Baseline
) -> None:
    store.save(golden_baseline)
    (file,) = store.directory.iterdir()
    before = file.stat().st_mtime_ns

    store.save(golden_baseline)

    assert [path.name for path in store.directory.iterdir()] == [f"{golden_baseline.id}.owbl"]
    assert file.stat().st_mtime_ns == before


def test_the_list_is_oldest_first_and_marks_the_promoted_one(
    store: BaselineStore, golden_baseline: Baseline
) -> None:
    newer, older = version(golden_baseline, 20), version(golden_baseline, 10)
    store.save(newer)
    store.save(older)
    store.promote(older.id, who="Ada", why="first baseline", at=30)

    listed = store.list()

    assert [one.id for one in listed] == [older.id, newer.id]
    assert [one.is_promoted for one in listed] == [True, False]
    assert listed[0].provenance == older.provenance
    assert listed[0].n_windows == 3


def test_promotions_are_kept_with_who_why_when_and_what_was_before(
    store: BaselineStore, golden_baseline: Baseline
) -> None:
    first, second = version(golden_baseline, 1), version(golden_baseline, 2)
    store.save(first)
    store.save(second)

    store.promote(first.id, who="Ada", why="first baseline", at=10)
    store.promote(second.id[:8], who="Grace", why="new model", at=20)

    assert store.load() == second
    assert store.load("promoted") == second
    promotions = store.promotions()
    assert [(p.id, p.who, p.why, p.at, p.previous) for p in promotions] == [
        (first.id, "Ada", "first baseline", 10, None),
        (second.id, "Grace", "new model", 20, first.id),
    ]


@pytest.mark.parametrize(("who", "why"), [("", "a reason"), ("Ada", "  ")])
def test_a_promotion_without_a_person_or_a_reason_is_refused(
    who: str, why: str, store: BaselineStore, golden_baseline: Baseline
) -> None:
    store.save(golden_baseline)

    with pytest.raises(BaselineStoreError, match="needs a person and a reason"):
        store.promote(golden_baseline.id, who=who, why=why, at=1)

    assert store.promoted() is None


def test_a_damaged_baseline_is_neither_loaded_nor_promoted(
    store: BaselineStore, golden_baseline: Baseline
) -> None:
    store.save(golden_baseline)
    (file,) = store.directory.iterdir()
    data = file.read_bytes()
    file.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))

    with pytest.raises(BaselineFormatError, match=rf"{file.name}: .*damaged"):
        store.load(golden_baseline.id)
    with pytest.raises(BaselineFormatError, match="damaged"):
        store.promote(golden_baseline.id, who="Ada", why="a reason", at=1)


def test_a_file_under_another_baselines_name_is_refused(
    store: BaselineStore, golden_baseline: Baseline
) -> None:
    store.save(golden_baseline)
    (file,) = store.directory.iterdir()
    file.rename(file.with_name("0" * 64 + ".owbl"))

    with pytest.raises(BaselineFormatError, match=f"holds baseline {golden_baseline.id}, not 000"):
        store.load("000000")


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("abcde", "at least 6 digits of its id, got 'abcde'"),
        ("abcdef", "no baseline begins with 'abcdef'"),
        ("promoted", "is promoted yet"),
    ],
)
def test_a_baseline_that_is_not_there_is_an_error_that_says_so(
    reference: str, sentence: str, store: BaselineStore
) -> None:
    with pytest.raises(BaselineStoreError, match=sentence):
        store.load(reference)


def test_a_prefix_of_two_ids_is_refused(store: BaselineStore, golden_baseline: Baseline) -> None:
    store.save(golden_baseline)
    (file,) = store.directory.iterdir()
    file.with_name(golden_baseline.id[:-1] + "x.owbl").write_bytes(file.read_bytes())

    with pytest.raises(BaselineStoreError, match="2 baselines begin with"):
        store.load(golden_baseline.id[:10])


def test_a_promotion_that_a_crash_left_unfinished_never_happened(
    store: BaselineStore, golden_baseline: Baseline
) -> None:
    store.save(golden_baseline)
    store.promote(golden_baseline.id, who="Ada", why="first", at=1)
    log = store.directory / "promotions.jsonl"
    log.write_bytes(log.read_bytes() + b'{"id": "unfin')

    assert [promotion.why for promotion in store.promotions()] == ["first"]
    store.promote(golden_baseline.id, who="Ada", why="second", at=2)
    assert [promotion.why for promotion in store.promotions()] == ["first", "second"]


def test_a_damaged_promotion_is_reported_with_file_and_line(
    store: BaselineStore, golden_baseline: Baseline
) -> None:
    store.save(golden_baseline)
    (store.directory / "promotions.jsonl").write_text(json.dumps({"id": "x"}) + "\n")

    with pytest.raises(BaselineStoreError, match=r"promotions\.jsonl:1: not a promotion"):
        store.promoted()


def test_a_promoted_baseline_whose_file_is_gone_says_what_to_do(
    store: BaselineStore, golden_baseline: Baseline
) -> None:
    store.save(golden_baseline)
    store.promote(golden_baseline.id, who="Ada", why="first", at=1)
    (store.directory / f"{golden_baseline.id}.owbl").unlink()

    with pytest.raises(BaselineStoreError, match=r"no file .* restore the file, or promote anoth"):
        store.load()


def test_a_damaged_file_in_the_list_is_named_with_what_to_do(
    store: BaselineStore, golden_baseline: Baseline
) -> None:
    store.save(golden_baseline)
    (file,) = store.directory.iterdir()
    file.write_bytes(file.read_bytes()[:60] + b"damaged")

    with pytest.raises(BaselineFormatError) as caught:
        store.list()

    advice = "restore the file, or promote another version and remove this one"
    assert str(caught.value) == f"{file}: the beginning of this baseline file is damaged; {advice}"

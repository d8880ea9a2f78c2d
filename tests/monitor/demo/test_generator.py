"""The demo's events: the same for a seed, quiet before the plants, and the plants are in them."""

import gzip
import hashlib
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from monitor.demo.loan_scorer import AGE_BANDS, CHANNELS, SEXES, LoanEvents, draw_loans
from monitor.demo.scenario import BASELINE_DAYS, DAYS, PLANTED, START_US, at, rfc3339
from monitor.demo.support_assistant import CHECKS, LANGUAGES, AssistantEvents, draw_answers
from monitor.demo.traffic import choose, day_of, hour_of
from monitor.demo.writing import write_events

START = {planted.key: planted.start_us for planted in PLANTED}


@pytest.fixture(scope="module")
def loans() -> LoanEvents:
    return draw_loans(60_000, np.random.default_rng(5))


@pytest.fixture(scope="module")
def answers() -> AssistantEvents:
    return draw_answers(80_000, np.random.default_rng(6))


def digests(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def rate(hits: npt.NDArray[np.bool_], rows: npt.NDArray[np.bool_]) -> float:
    return float(hits[rows].mean())


def test_a_seed_determines_every_byte(tmp_path: Path) -> None:
    write_events(tmp_path / "a", n_events=3_000, seed=3)
    write_events(tmp_path / "b", n_events=3_000, seed=3)
    write_events(tmp_path / "c", n_events=3_000, seed=4)

    first, again, other = (digests(tmp_path / name) for name in "abc")

    assert first == again
    assert len(first) == 2 * DAYS + 1
    assert all(first[name] != other[name] for name in first)


def test_exactly_the_asked_number_of_records_is_written_in_order_of_time(tmp_path: Path) -> None:
    written = write_events(tmp_path, n_events=3_001, seed=1)

    for system, expected in written.events.items():
        lines = [
            json.loads(line)
            for path in sorted((tmp_path / system / "events").glob("*.jsonl.gz"))
            for line in gzip.decompress(path.read_bytes()).splitlines()
        ]
        times = [line["ts"] for line in lines]
        assert len(lines) == expected
        assert times == sorted(times)
        assert len({line["event_id"] for line in lines}) == expected
        assert {line["schema"] for line in lines} == {"moe/1"}
    assert sum(written.events.values()) == 3_001


def test_every_file_holds_the_events_of_its_day_alone(tmp_path: Path) -> None:
    write_events(tmp_path, n_events=3_000, seed=1)

    for path in tmp_path.rglob("*.jsonl.gz"):
        day = path.name.removesuffix(".jsonl.gz")
        lines = gzip.decompress(path.read_bytes()).splitlines()
        assert lines
        assert {json.loads(line)["ts"][:10] for line in lines} == {day}


def test_the_truth_is_written_beside_the_events(tmp_path: Path) -> None:
    written = write_events(tmp_path, n_events=1_000, seed=9)

    truth = json.loads((tmp_path / "scenario.json").read_text())

    assert truth["seed"] == 9
    assert truth["events"] == written.events
    assert truth["baseline_to"] == "2026-09-15T00:00Z"
    assert [planted["key"] for planted in truth["planted"]] == [one.key for one in PLANTED]


def test_too_few_events_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 100 events, got 99"):
        write_events(tmp_path, n_events=99, seed=1)


def test_nothing_is_planted_in_the_baseline() -> None:
    assert all(planted.start_us >= at(BASELINE_DAYS + 1) for planted in PLANTED)
    assert rfc3339(START_US) == "2026-09-01T00:00Z"


def test_a_check_without_verdict_is_never_written_as_clean(tmp_path: Path) -> None:
    write_events(tmp_path, n_events=3_000, seed=2)
    path = tmp_path / "support-assistant" / "events" / "2026-09-28.jsonl.gz"

    checks = [
        check
        for line in gzip.decompress(path.read_bytes()).splitlines()
        for check in json.loads(line)["safety"]["checks"]
    ]

    assert any(check["status"] == "error" for check in checks)
    assert all((check["flagged"] is None) == (check["status"] == "error") for check in checks)
    assert len(checks) % len(CHECKS) == 0


def test_traffic_follows_the_hours_and_the_weekend(loans: LoanEvents) -> None:
    hours = np.bincount(hour_of(loans.time_us).astype(int), minlength=24)
    weekday = (1 + day_of(loans.time_us)) % 7
    days = np.bincount(weekday, minlength=7) / np.array([4, 5, 5, 4, 4, 4, 4])

    assert hours[14] > 5 * hours[2]
    assert days[5:].max() < 0.6 * days[:5].min()


def test_windows_vary_by_more_than_independent_events_would(answers: AssistantEvents) -> None:
    per_day = np.bincount(day_of(answers.time_us), minlength=DAYS)[[0, 1, 2, 6, 7, 8, 9, 13]]

    assert per_day.var() > 3 * per_day.mean()


def test_people_talk_in_conversations(answers: AssistantEvents) -> None:
    turns = np.bincount(answers.session)

    assert 1.5 < turns.mean() < 2.2
    assert turns.max() > 5


def test_incomes_debts_and_history_hang_together(loans: LoanEvents) -> None:
    before = loans.time_us < START["broker-income-unit"]
    adults = before & (loans.age_band == 1)

    debt = np.corrcoef(np.log(loans.income[adults]), loans.debt_ratio[adults])[0, 1]
    credit = np.corrcoef(np.log(loans.income[adults]), loans.credit_years[adults])[0, 1]

    assert debt < -0.15
    assert credit > 0.1


def test_groups_are_approved_alike_until_the_planted_gap(loans: LoanEvents) -> None:
    before = loans.time_us < START["age-60-approvals"]
    after = ~before
    old = loans.age_band == AGE_BANDS.index("60+")

    assert abs(rate(loans.approved, before & old) - rate(loans.approved, before & ~old)) < 0.03
    assert rate(loans.approved, after & ~old) - rate(loans.approved, after & old) > 0.2
    for sex in range(2):
        rows = loans.sex == sex
        assert rate(loans.approved, after & ~old & rows) == pytest.approx(
            rate(loans.approved, before & rows), abs=0.04
        ), SEXES[sex]


def test_the_planted_gap_is_not_in_the_labels(loans: LoanEvents) -> None:
    rows = (loans.label >= 0) & (loans.age_band == AGE_BANDS.index("60+"))
    after = loans.time_us >= START["age-60-approvals"]

    before = rate(loans.label == 1, rows & ~after)

    assert rate(loans.label == 1, rows & after) == pytest.approx(before, abs=0.06)


def test_labels_arrive_for_a_part_and_later(loans: LoanEvents) -> None:
    labelled = loans.label >= 0
    day = day_of(loans.time_us)

    assert rate(labelled, day < 20) == pytest.approx(0.35, abs=0.02)
    assert rate(labelled, day == DAYS - 1) < 0.25
    assert (loans.label_us[labelled] < at(DAYS + 1)).all()
    assert (loans.label_us >= loans.time_us).all()


def test_only_brokers_change_the_unit_of_income(loans: LoanEvents) -> None:
    after = loans.time_us >= START["broker-income-unit"]
    broker = loans.channel == CHANNELS.index("broker")

    monthly = loans.income < 8_000

    assert rate(monthly, after & broker) > 0.9
    assert rate(monthly, after & ~broker) < 0.01
    assert rate(monthly, ~after) < 0.01


def test_the_score_is_calibrated_and_decides(loans: LoanEvents) -> None:
    before = loans.time_us < START["age-60-approvals"]
    rows = before & (loans.label >= 0)

    assert (loans.approved == (loans.score >= 0.5)).all()
    assert loans.score[rows].mean() == pytest.approx((loans.label[rows] == 1).mean(), abs=0.02)


def test_answers_grow_when_the_model_is_replaced(answers: AssistantEvents) -> None:
    after = answers.time_us >= START["silent-model-change"]
    large = (answers.model == 0) & ~answers.refused

    grown = np.median(answers.n_words[after & large]) / np.median(answers.n_words[~after & large])

    assert (answers.replaced == (after & (answers.model == 0))).all()
    assert grown == pytest.approx(1.8, abs=0.1)


def test_refusals_rise_in_spanish_alone(answers: AssistantEvents) -> None:
    after = answers.time_us >= START["spanish-refusals"]

    for position, language in enumerate(LANGUAGES):
        rows = answers.language == position
        expected = 0.25 if language == "es" else 0.03
        assert rate(answers.refused, rows & ~after) == pytest.approx(0.03, abs=0.008)
        assert rate(answers.refused, rows & after) == pytest.approx(expected, abs=0.02)


def test_the_dead_filter_fails_and_no_longer_flags(answers: AssistantEvents) -> None:
    after = answers.time_us >= START["dead-output-filter"]

    for position, check in enumerate(CHECKS):
        failed, flagged = answers.failed[:, position], answers.flagged[:, position]
        dead = check.filter == "moderation"
        assert rate(flagged, ~after) == pytest.approx(check.rate, rel=0.25)
        assert rate(failed, ~after) < 0.01
        assert (rate(failed, after) > 0.95) == dead
        assert (rate(flagged, after) < 0.002) == dead
        assert not (failed & flagged).any()


def test_choices_follow_the_shares_of_each_event() -> None:
    rng = np.random.default_rng(0)
    shares = np.tile([1.0, 1.0, 2.0], (20_000, 1))
    shares[10_000:] = [0.0, 0.0, 5.0]

    chosen = choose(shares, 20_000, rng)

    assert np.bincount(chosen[:10_000]) / 10_000 == pytest.approx([0.25, 0.25, 0.5], abs=0.02)
    assert (chosen[10_000:] == 2).all()

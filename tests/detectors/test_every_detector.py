"""Laws that every registered detector keeps.

A new detector takes part by being registered and by having example options in
``examples/<name>.json``: a list of objects, one for each series to try.
"""

import ast
import dataclasses
import functools
import json
import math
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

import detectors
from baselines.columns import Columns
from baselines.counting import count
from baselines.layout import Layout
from baselines.reference import Reference
from baselines.summary import Window, WindowKey, WindowSummary
from detectors.base import Detector, Finding, Verdict
from detectors.evidence.questions import (
    GapQuestion,
    MixQuestion,
    Question,
    RateQuestion,
    SilenceQuestion,
)
from detectors.options import CommonOptions, column_options
from detectors.registry import registered_detectors

EXAMPLES = Path(__file__).parent / "examples"
PACKAGE = Path(detectors.__file__).parent
FORBIDDEN = {
    "evidently", "kafka", "logging", "os", "pandas", "pydantic", "random", "sqlalchemy", "time",
}  # fmt: skip
NAMES = sorted(registered_detectors())
DECIDED = (Verdict.WITHIN, Verdict.BEYOND)


def examples(name: str) -> list[Any]:
    path = EXAMPLES / f"{name}.json"
    if not path.is_file():
        return []
    adapter = TypeAdapter(registered_detectors()[name])
    return [adapter.validate_python(options) for options in json.loads(path.read_text())]


INSTANCES = [pytest.param(one, id=one.series) for name in NAMES for one in examples(name)]
every_name = pytest.mark.parametrize("name", NAMES)
every_series = pytest.mark.parametrize("series", INSTANCES)


@pytest.fixture(scope="module")
def reference_rows(outputs) -> Columns:
    return outputs.rows(6000, seed=1)


@pytest.fixture(scope="module")
def reference_of(outputs, reference_rows) -> Callable[[Detector], Reference]:
    @functools.cache
    def make(series: Detector) -> Reference:
        layout = outputs.layout(reference_rows, series.tables(outputs.schema))
        return outputs.reference(reference_rows, layout)

    return make


@pytest.fixture(scope="module")
def windows_of(outputs, reference_of) -> Callable[[Detector], tuple[Window, ...]]:
    """Return windows of several kinds for a detector: normal, moved, and without columns."""

    @functools.cache
    def make(series: Detector) -> tuple[Window, ...]:
        layout = reference_of(series).summary.layout
        rows = [
            outputs.rows(2500, seed=2),
            outputs.rows(2500, seed=3, shift=1.0),
            outputs.rows(60, seed=4),
            outputs.rows(1, seed=5),
            dataclasses.replace(outputs.rows(2500, seed=6), fields={}),
        ]
        return tuple(outputs.window(some, layout) for some in rows)

    return make


@every_name
def test_has_example_options_to_be_tried_with(name) -> None:
    assert examples(name), f"add tests/detectors/examples/{name}.json: a list of option objects"


@every_name
def test_is_a_frozen_dataclass_with_slots(name) -> None:
    cls = registered_detectors()[name]
    one = examples(name)[0]
    option = dataclasses.fields(cls)[0].name

    assert not hasattr(one, "__dict__")
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(one, option, getattr(one, option))


@every_name
def test_is_called_like_its_module(name) -> None:
    cls = registered_detectors()[name]

    assert cls.name == name
    assert cls.__module__.rpartition(".")[2] == name


@every_name
def test_documents_every_option(name) -> None:
    cls = registered_detectors()[name]
    shared = {field.name for field in dataclasses.fields(CommonOptions)}
    text = cls.__doc__ or ""
    words = set(re.findall(r"\w+", text))

    undocumented = {field.name for field in dataclasses.fields(cls)} - shared - words

    assert not text.startswith(f"{cls.__name__}(")
    assert not undocumented


@every_name
def test_has_the_shared_options(name) -> None:
    options = {field.name for field in dataclasses.fields(registered_detectors()[name])}

    assert {"confidence", "min_rows", "failure_mode"} <= options


@every_name
def test_refuses_numbers_that_make_no_sense(name) -> None:
    cls = registered_detectors()[name]
    adapter = TypeAdapter(cls)
    options = json.loads((EXAMPLES / f"{name}.json").read_text())[0]
    numeric = [
        field.name
        for field in dataclasses.fields(cls)
        if isinstance(field.default, int | float) and not isinstance(field.default, bool)
    ]

    assert numeric
    for option in numeric:
        for nonsense in (-1e9, math.nan):
            with pytest.raises(ValidationError):
                adapter.validate_python({**options, option: nonsense})


@every_series
def test_fits_a_schema_that_has_its_columns(series, outputs) -> None:
    assert list(series.problems(outputs.schema)) == []


@every_series
def test_names_each_option_whose_column_is_unknown(series, outputs) -> None:
    for option in column_options(type(series)):
        if getattr(series, option) is None:
            continue
        wrong = dataclasses.replace(series, **{option: "no_such_column"})

        problems = dict(wrong.problems(outputs.schema))

        assert problems[option]


@every_series
def test_can_be_hashed_and_sent_to_another_process(series) -> None:
    copy = pickle.loads(pickle.dumps(series))

    assert copy == series
    assert hash(copy) == hash(series)


def test_no_two_series_share_a_name() -> None:
    names = [parameter.id for parameter in INSTANCES]

    assert len(set(names)) == len(names)


@every_series
def test_the_reference_is_never_beyond_itself(series, reference_of) -> None:
    reference = reference_of(series)
    window = Window(
        WindowKey(reference.history[0].key.start_us, reference.history[-1].key.end_us),
        reference.summary,
    )

    finding = series.compare(reference, window)

    assert finding.verdict is not Verdict.BEYOND
    check_finding(series, finding)


@every_series
def test_an_empty_window_is_a_state_of_its_own(series, reference_of) -> None:
    reference = reference_of(series)
    key = reference.history[0].key

    finding = series.compare(reference, Window(key, WindowSummary.zero(reference.summary.layout)))

    assert finding.verdict in (Verdict.INSUFFICIENT_DATA, Verdict.CANNOT_SEE)
    check_finding(series, finding)


@every_series
def test_an_empty_reference_is_a_state_of_its_own(series, reference_of, windows_of) -> None:
    reference = reference_of(series)
    empty = Reference(
        schema=reference.schema, summary=WindowSummary.zero(reference.summary.layout)
    )

    for window in windows_of(series):
        finding = series.compare(empty, window)

        assert finding.verdict in (Verdict.INSUFFICIENT_DATA, Verdict.CANNOT_SEE)
        check_finding(series, finding)


@every_series
def test_a_baseline_without_its_tables_cannot_see(series, outputs, reference_rows) -> None:
    schema = dataclasses.replace(outputs.schema, columns=())
    from_nothing = count(reference_rows, Layout(()))
    reference = Reference(schema=schema, summary=from_nothing)

    finding = series.compare(reference, Window(WindowKey(0, 1), from_nothing))

    assert finding.verdict in (Verdict.INSUFFICIENT_DATA, Verdict.CANNOT_SEE)
    check_finding(series, finding)


@every_series
def test_findings_are_well_formed_for_every_kind_of_window(
    series, reference_of, windows_of
) -> None:
    reference = reference_of(series)

    for window in windows_of(series):
        check_finding(series, series.compare(reference, window))


@every_series
def test_a_departure_is_named_in_a_few_words_for_a_title(series, reference_of, windows_of) -> None:
    reference = reference_of(series)

    for window in windows_of(series):
        finding = series.compare(reference, window)

        if finding.verdict is Verdict.BEYOND:
            assert 10 < len(finding.headline) < 160
            assert finding.headline.isprintable()
            assert series.name not in finding.headline


@every_series
def test_the_same_counts_give_the_same_finding(series, reference_of, windows_of) -> None:
    reference = reference_of(series)

    for window in windows_of(series):
        before = window.summary.counts.copy()
        first = series.compare(reference, window)

        assert series.compare(reference, window) == first
        assert np.array_equal(window.summary.counts, before)


@every_series
def test_order_and_split_of_rows_do_not_matter(series, outputs, reference_of) -> None:
    reference = reference_of(series)
    layout, rows = reference.summary.layout, outputs.rows(1500, seed=8, shift=0.5)
    order = np.random.default_rng(9).permutation(1500)
    key = WindowKey(0, 3_600_000_000)
    whole = count(rows, layout)

    parts = count(rows.take(order[:400]), layout) + count(rows.take(order[400:]), layout)

    assert series.compare(reference, Window(key, parts)) == series.compare(
        reference, Window(key, whole)
    )


@every_series
def test_only_a_detector_that_asks_has_a_question(series, reference_of, windows_of) -> None:
    normal, moved, few, one, blind = windows_of(series)

    asked = [
        series.question(reference_of(series), window) is not None
        for window in (normal, moved, few, one, blind)
    ]

    assert asked[0] is series.asks
    assert series.asks or not any(asked)


@every_series
def test_nothing_to_compare_is_no_question(series, outputs, reference_rows, reference_of) -> None:
    reference = reference_of(series)
    nothing = WindowSummary.zero(reference.summary.layout)
    key = reference.history[0].key
    without_tables = count(reference_rows, Layout(()))
    bare = Reference(
        schema=dataclasses.replace(outputs.schema, columns=()), summary=without_tables
    )

    assert series.question(reference, Window(key, nothing)) is None
    assert series.question(bare, Window(key, without_tables)) is None
    assert (
        series.question(dataclasses.replace(reference, summary=nothing), reference.history[0])
        is None
    )


@every_series
def test_the_counts_of_a_question_add_up_over_windows(series, outputs, reference_of) -> None:
    reference = reference_of(series)
    layout, rows = reference.summary.layout, outputs.rows(1500, seed=8, shift=0.5)
    order = np.random.default_rng(9).permutation(1500)
    key = WindowKey(0, 3_600_000_000)

    whole, first, second = (
        series.question(reference, Window(key, count(some, layout)))
        for some in (rows, rows.take(order[:400]), rows.take(order[400:]))
    )

    for name, counts in window_counts(whole).items():
        parts = window_counts(first)[name] + window_counts(second)[name]
        assert np.array_equal(counts, parts), name
    assert fixed_parts(whole) == fixed_parts(first) == fixed_parts(second)


@every_series
def test_a_question_holds_possible_counts(series, reference_of, windows_of) -> None:
    reference = reference_of(series)

    for window in windows_of(series):
        question = series.question(reference, window)
        repeats = getattr(question, "repeats", 1)
        for hits, total in hits_and_totals(question):
            assert np.all(hits >= 0)
            assert np.all(hits <= total)
            assert np.sum(total) <= window.summary.n_rows * repeats
        reference_window = Window(window.key, reference.summary)
        for name, counts in window_counts(series.question(reference, reference_window)).items():
            if question is not None:
                known = "reference" if name == "counts" else f"reference_{name}"
                assert np.array_equal(getattr(question, known), counts), name


@every_series
def test_a_question_rests_on_the_rows_that_the_finding_rests_on(
    series, reference_of, windows_of
) -> None:
    reference = reference_of(series)

    for window in windows_of(series):
        finding, question = series.compare(reference, window), series.question(reference, window)
        if finding.verdict not in DECIDED or question is None:
            continue
        if isinstance(question, GapQuestion):
            rows = question.totals.sum(axis=0)
            by_name = dict(zip(question.groups, rows.tolist(), strict=True))
            assert finding.groups
            for group in finding.groups:
                assert group.rows <= by_name[group.group]
            if len(question.totals) == 1:
                assert all(group.rows == by_name[group.group] for group in finding.groups)
        elif isinstance(question, RateQuestion) and series.name != "safety_coverage":
            value = "value" if series.name == "classification_performance" else "rate"
            assert question.hits / question.total == pytest.approx(finding.measure(value))
            if getattr(series, "metric", "accuracy") == "accuracy":
                assert question.total == finding.n_rows
        elif isinstance(question, MixQuestion):
            shares = (one / one.sum() for one in (question.counts, question.reference))
            moved = np.abs(np.subtract(*shares)).sum() / 2
            assert finding.effect is not None
            assert moved == pytest.approx(finding.effect.value)
            assert question.counts.sum() == finding.n_rows
        elif isinstance(question, SilenceQuestion):
            assert question.triggers / question.checked == finding.measure("rate")


def test_detectors_do_arithmetic_only() -> None:
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name}: relative import"
                names = [node.module or ""]
            assert not FORBIDDEN & {name.partition(".")[0] for name in names}, path.name


def test_finding_all_detectors_imports_nothing_slow() -> None:
    code = (
        "import sys; from detectors.registry import registered_detectors; "
        "registered_detectors(); print(*(m for m in "
        "('pandas', 'scipy.stats', 'sklearn', 'evidently') if m in sys.modules))"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.split() == []


def window_counts(question: Question | None) -> dict[str, Any]:
    """Return the counts of the window, by field."""
    fields = ("hits", "totals", "total", "counts", "triggers", "checked")
    return {name: getattr(question, name) for name in fields if hasattr(question, name)}


def fixed_parts(question: Question | None) -> dict[str, Any]:
    """Return what does not depend on the window, ready to be compared."""
    if question is None:
        return {}
    names = [field.name for field in dataclasses.fields(question)]
    parts = {
        name: getattr(question, name) for name in names if name not in window_counts(question)
    }
    return {
        name: part.tolist() if isinstance(part, np.ndarray) else part
        for name, part in parts.items()
    }


def hits_and_totals(question: Question | None) -> list[tuple[Any, Any]]:
    """Return what was counted out of what."""
    if isinstance(question, RateQuestion):
        return [(question.hits, question.total)]
    if isinstance(question, GapQuestion):
        return [(question.hits, question.totals)]
    if isinstance(question, SilenceQuestion):
        return [(question.triggers, question.checked)]
    if isinstance(question, MixQuestion):
        return [(question.counts, question.counts.sum())]
    return []


def check_finding(series: Detector, finding: Finding) -> None:
    """Assert what holds for every finding."""
    assert finding.detector == series.name
    assert finding.series == series.series
    assert finding.failure_mode is series.failure_mode
    assert finding.unit
    assert finding.sentence
    assert finding.sentence == finding.sentence.strip()
    assert "\n" not in finding.sentence
    assert "p-value" not in finding.sentence
    assert "nan" not in finding.sentence.split()
    if finding.verdict in DECIDED:
        for estimate in (finding.effect, finding.departure):
            assert estimate is not None
            assert estimate.low <= estimate.value <= estimate.high
            assert math.isfinite(estimate.low)
            assert math.isfinite(estimate.high)
        beyond = finding.departure is not None and finding.departure.low > 1
        assert (finding.verdict is Verdict.BEYOND) == beyond
    else:
        assert finding.effect is None
        assert finding.departure is None
    for measure in finding.measures:
        bounds = [measure.low, measure.value, measure.high]
        known = [bound for bound in bounds if bound is not None]
        assert all(math.isfinite(bound) for bound in known), measure
        assert known == sorted(known), measure
    names = [measure.name for measure in finding.measures]
    assert len(set(names)) == len(names)
    assert finding.n_affected is None or finding.n_affected >= 0

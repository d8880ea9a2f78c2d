"""What is remembered of windows: real keys, real numbers of outputs."""

from collections.abc import Iterable, Sequence

import numpy as np

from baselines.columns import Columns, Numbers
from baselines.counting import count
from baselines.layout import AxisNeed, Layout, NumericAxis, Table
from baselines.reference import Reference
from baselines.schema import Column, Dtype, Role, Schema
from baselines.summary import Window, WindowKey, WindowSummary
from detectors.missing_rate import MissingRate
from monitor.config.model import DetectorEntry
from monitor.config.problems import Place
from monitor.decision.budget import FalseAlarmBudget
from monitor.decision.evidence import Evidence, Onset
from monitor.decision.evidence_moves import advance_by_evidence
from monitor.decision.state import DecisionRule, SeriesKey, SeriesState
from monitor.decision.surveillance import Surveillance
from monitor.engine.watching import Watching, added_up
from monitor.incidents.exposure import exposed_rows

HOUR = 3_600_000_000
SCHEMA = Schema(columns=(Column(name="income", role=Role.NUMERIC, dtype=Dtype.FLOAT64),))
INCOME = NumericAxis(AxisNeed("income"), np.linspace(0, 1, 17), (np.arange(16) + 0.5) / 16)
LAYOUT = Layout((Table((INCOME,)),))
DETECTOR = MissingRate(column="income", tolerance=0.02)
KEY = SeriesKey(DETECTOR.series)


def summary(n_rows: int, n_missing: int) -> WindowSummary:
    missing = np.arange(n_rows) < n_missing
    columns = Columns(
        n_rows=n_rows,
        time_us=np.zeros(n_rows, dtype=np.int64),
        fields={"income": Numbers((np.arange(n_rows) + 0.5) / n_rows, missing)},
    )
    return count(columns, LAYOUT)


def reference() -> Reference:
    history = [
        Window(WindowKey(hour * HOUR, (hour + 1) * HOUR), summary(500, 5)) for hour in range(24)
    ]
    return Reference(schema=SCHEMA, summary=summary(12_000, 120), history=tuple(history))


def watching() -> Watching:
    known = reference()
    place = Place(file="c.yaml", line=1, column=1, option="detectors[0]")
    return Watching(
        entries=[DetectorEntry(detector=DETECTOR, for_windows=2, place=place)],
        surveillance=Surveillance(budget=FalseAlarmBudget(), window_seconds=3_600),
        reference_of={"all": known}.__getitem__,
    )


def watched(windows: Iterable[Window]) -> tuple[list[Evidence], list[SeriesState]]:
    ours, state = watching(), SeriesState()
    evidence, states = [], []
    for window in windows:
        found = ours.take([window])[KEY]
        finding = DETECTOR.compare(reference(), window)
        state = advance_by_evidence(state, finding, found, window.key, DecisionRule()).state
        ours.note_exposed(KEY, exposed_rows(finding))
        evidence.append(found)
        states.append(state)
    return evidence, states


def uneven(counts: Sequence[tuple[int, int]]) -> list[Window]:
    """Return count windows: the later, the shorter."""
    ends = np.cumsum([0, *(200 - at for at in range(len(counts)))]) * HOUR
    return [
        Window(WindowKey(int(ends[at]), int(ends[at + 1]), "all", at), summary(*one))
        for at, one in enumerate(counts)
    ]


def exposed(window: Window) -> int:
    return exposed_rows(DETECTOR.compare(reference(), window))


def onset_of(evidence: Sequence[Evidence]) -> Onset:
    (onset,) = [each.onset for each in evidence if each.onset is not None]
    return onset


def test_an_onset_is_a_window_that_was_there() -> None:
    windows = uneven([(500, 5)] * 20 + [(500, 20)] * 20)

    evidence, _ = watched(windows)

    onset = onset_of(evidence)
    keys = [window.key for window in windows]
    assert onset.window in keys
    assert {onset.earliest, onset.latest} <= set(keys)
    assert onset.earliest.ordinal <= 20 <= onset.latest.ordinal


def test_the_outputs_since_the_onset_are_counted_not_multiplied() -> None:
    sizes = [500] * 10 + [300, 700, 200, 900, 400, 600] * 4
    counts = [(n, n // 100 if at < 10 else n // 22) for at, n in enumerate(sizes)]
    windows = uneven(counts)

    evidence, states = watched(windows)

    (alarm,) = [at for at, each in enumerate(evidence) if each.onset is not None]
    begun = onset_of(evidence).window.ordinal
    assert alarm > begun
    assert states[alarm].n_exposed == sum(map(exposed, windows[begun : alarm + 1]))
    assert states[alarm].n_beyond == alarm - begun + 1


def test_an_alarm_in_the_first_window_is_one_window() -> None:
    windows = uneven([(500, 5)] * 10 + [(500, 500)])

    evidence, states = watched(windows)

    assert evidence[-1].onset is not None
    assert evidence[-1].onset.window == windows[-1].key
    assert states[-1].n_beyond == 1
    assert states[-1].n_exposed == exposed(windows[-1])


def test_windows_without_times_are_added_up_from_the_onset_on() -> None:
    ours = watching()
    windows = [Window(WindowKey(0, 1, "all", at), summary(500, at)) for at in range(20)]
    for window in windows:
        ours.take([window])

    assert ours.since(windows[15].key) == windows[15:]
    assert added_up(windows[15:]).summary.n_rows == 5 * 500

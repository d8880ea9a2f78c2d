"""What an audit shows of rates and gaps since its start, valid at all times, as one file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from baselines.baseline import Baseline
from baselines.summary import WindowKey
from detectors.evidence.confidence_sequences import GapSequence, rate_sequence
from detectors.evidence.group_gaps import GapTolerance, ToleratedGap
from detectors.evidence.questions import GapQuestion, Question, RateQuestion
from monitor.config.model import Configuration
from monitor.engine.spreadsheets import TableWriter
from monitor.engine.stored_windows import windows_of_job
from monitor.printing import time_text
from monitor.storage.store import Store

__all__ = ["SinceStart", "write_since_start"]

CHANCE = 0.01
"""Of ever claiming too much in one series, however often one looks."""

_COLUMNS = (
    "series",
    "slice",
    "from",
    "to",
    "outputs",
    "what",
    "low",
    "high",
    "tolerance",
    "beyond_tolerance_since_start",
)
_DIFFERENCES = (0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5)
_RATIOS = (0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1)


@dataclass(slots=True)
class _Gap:
    """A gap of one series, window after window."""

    wanted: ToleratedGap
    limits: tuple[ToleratedGap, ...]
    sequence: GapSequence
    outputs: int = 0

    @classmethod
    def of(cls, question: GapQuestion) -> "_Gap":
        kind, wanted = question.tolerated.kind, question.tolerated.limit
        grid = _RATIOS if kind is GapTolerance.RATIO else _DIFFERENCES
        ordered = sorted({*grid, wanted}, reverse=kind is GapTolerance.RATIO)
        limits = tuple(ToleratedGap(kind=kind, limit=limit) for limit in ordered)
        n_groups = question.totals.shape[1]
        return cls(question.tolerated, limits, GapSequence.start(1, n_groups, len(limits)))

    def add(self, question: GapQuestion) -> None:
        self.outputs += int(question.totals.sum())
        self.sequence = self.sequence.after(question.hits, question.totals, self.limits, CHANCE)


@dataclass(slots=True)
class SinceStart:
    """One series on one slice, from the first window to the last.

    Rates are bounded by a confidence sequence for independent outputs of one constant rate,
    gaps by e-processes for a gap that is the same throughout, or never smaller; both hold at
    all times, so looking after every window costs nothing. See
    `detectors.evidence.confidence_sequences`.
    """

    first: WindowKey
    last: WindowKey
    hits: int = 0
    total: int = 0
    rate: RateQuestion | None = None
    gap: _Gap | None = field(default=None)

    def add(self, key: WindowKey, question: Question) -> None:
        """Take in one more window; kinds without a sequence of their own are passed over."""
        self.last = key
        if isinstance(question, RateQuestion) and question.repeats == 1:
            self.rate = question
            self.hits += question.hits
            self.total += question.total
        elif isinstance(question, GapQuestion) and question.totals.shape[0] == 1:
            self.gap = self.gap or _Gap.of(question)
            self.gap.add(question)

    def lines(self, series: str) -> Iterator[tuple[object, ...]]:
        """Yield the line of the series, if it has one."""
        place = (series, self.first.slice, *_times(self.first, self.last))
        if self.rate is not None and self.total:
            low, high = rate_sequence([self.hits], [self.total], CHANCE)
            yield (*place, self.total, "rate", float(low[0]), float(high[0]), None, None)
        if self.gap is not None and self.gap.outputs:
            yield (*place, self.gap.outputs, *_gap_line(self.gap))


def write_since_start(
    path: Path, configuration: Configuration, baseline: Baseline, store: Store, job_id: str
) -> None:
    """Write one line for each rate and each gap between groups that the audit watched."""
    found: dict[tuple[str, str], SinceStart] = {}
    min_rows = configuration.baseline.min_slice_rows
    for window in windows_of_job(store, baseline, job_id):
        reference = baseline.reference(window.key.slice, min_rows=min_rows)
        for entry in configuration.detectors:
            question = entry.detector.question(reference, window)
            if question is None:
                continue
            place = (entry.series, window.key.slice)
            known = found.setdefault(place, SinceStart(window.key, window.key))
            known.add(window.key, question)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = TableWriter(file, _COLUMNS)
        for (series, _), since in sorted(found.items()):
            writer.write(since.lines(series))


def _gap_line(gap: _Gap) -> tuple[object, ...]:
    bound = float(gap.sequence.bound(gap.limits)[0])
    limit = gap.wanted.limit
    if gap.wanted.kind is GapTolerance.RATIO:
        beyond = "yes" if bound <= limit else "not shown"
        return "lowest over highest rate, at most", None, bound, limit, beyond
    beyond = "yes" if bound >= limit else "not shown"
    return "highest minus lowest rate, at least", bound, None, limit, beyond


def _times(first: WindowKey, last: WindowKey) -> Sequence[str | None]:
    if not first.has_times:
        return None, None
    return time_text(first.start_us), time_text(last.end_us)

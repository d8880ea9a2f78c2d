"""What is planted in the demo's events: the truth that an audit is held against."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = [
    "AUDITED_US",
    "BASELINE_DAYS",
    "DAYS",
    "LOAN_SCORER",
    "PLANTED",
    "START_US",
    "SUPPORT_ASSISTANT",
    "SYSTEMS",
    "Planted",
    "at",
    "rfc3339",
    "scenario_record",
]

START_US = 1_788_220_800_000_000
"""2026-09-01T00:00Z, a Tuesday: day 1 of the demo, in microseconds since the epoch."""

DAYS = 30
AUDITED_US = START_US + (30 * 1_440 + 10) * 60_000_000
"""Ten minutes after the end of the month: the demo's own time, whatever day it is."""

BASELINE_DAYS = 14
LOAN_SCORER = "loan-scorer"
SUPPORT_ASSISTANT = "support-assistant"
SYSTEMS = (LOAN_SCORER, SUPPORT_ASSISTANT)

_HOUR_US = 3_600_000_000


def at(day: int, hour: int = 0) -> int:
    """Return the time of an hour of a day (1 is the first), microseconds since the epoch.

    Examples
    --------
    >>> rfc3339(at(18, 9))
    '2026-09-18T09:00Z'
    """
    return START_US + ((day - 1) * 24 + hour) * _HOUR_US


def rfc3339(us: int) -> str:
    """Return a time of the demo's month in RFC 3339, to the minute, UTC."""
    minutes = (us - START_US) // 60_000_000
    days, rest = divmod(minutes, 1_440)
    hour, minute = divmod(rest, 60)
    return f"2026-09-{days + 1:02d}T{hour:02d}:{minute:02d}Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One incident that the generator writes into the events.

    Parameters
    ----------
    key
        A short name.
    system
        The system that it happens to.
    start_us
        When it begins, microseconds since the epoch; it lasts to the end of the month.
    kind
        The failure mode that a monitor should give it.
    title
        What happens, in a few words.
    story
        Why it happens and what it moves.
    columns
        The columns whose series may rightly move because of it; the first ones are the cause,
        the others its consequences.
    """

    key: str
    system: str
    start_us: int
    kind: str
    title: str
    story: str
    columns: tuple[str, ...]

    def record(self) -> dict[str, Any]:
        """Return a JSON-ready description."""
        return {
            "key": self.key,
            "system": self.system,
            "start": rfc3339(self.start_us),
            "day": (self.start_us - START_US) // (24 * _HOUR_US) + 1,
            "kind": self.kind,
            "title": self.title,
            "story": self.story,
            "columns": list(self.columns),
        }


PLANTED: tuple[Planted, ...] = (
    Planted(
        key="broker-income-unit",
        system=LOAN_SCORER,
        start_us=at(18, 9),
        kind="behavioural",
        title="income of the broker channel arrives per month instead of per year",
        story=(
            "A release of the broker portal records income per month. The score was computed "
            "before the conversion, so decisions have not moved yet."
        ),
        columns=("income",),
    ),
    Planted(
        key="age-60-approvals",
        system=LOAN_SCORER,
        start_us=at(24, 8),
        kind="bias",
        title="approvals of applicants aged 60+ fall",
        story=(
            "A rule counts retirement income half. Scores of applicants aged 60+ fall, the "
            "merits of their applications do not: underwriters who read them again disagree."
        ),
        columns=("age_band", "score", "decision", "label"),
    ),
    Planted(
        key="silent-model-change",
        system=SUPPORT_ASSISTANT,
        start_us=at(17, 10),
        kind="behavioural",
        title="the model behind an unchanged version name is replaced",
        story=(
            "The fingerprint changes and answers grow to almost double; name and version stay as "
            "they were and no release is on record."
        ),
        columns=("model_fingerprint", "n_words", "output_tokens", "latency_ms", "finish_reason"),
    ),
    Planted(
        key="spanish-refusals",
        system=SUPPORT_ASSISTANT,
        start_us=at(22, 6),
        kind="bias",
        title="refusals of Spanish requests rise from about 3 % to about 25 %",
        story="The other languages stay as they were, so the average hides most of it.",
        columns=("refusal", "finish_reason"),
    ),
    Planted(
        key="dead-output-filter",
        system=SUPPORT_ASSISTANT,
        start_us=at(26, 13),
        kind="safety",
        title="the moderation filter on outputs stops answering",
        story=(
            "Every call ends in an error, the gateway lets outputs pass, and triggers fall to "
            "zero: a dashboard of triggers looks calmer than ever."
        ),
        columns=("output/moderation", "safety_action", "finish_reason"),
    ),
)


def scenario_record(*, seed: int, events: Mapping[str, int]) -> dict[str, Any]:
    """Return the JSON-ready truth: period, baseline, events by system, what is planted."""
    return {
        "seed": seed,
        "from": rfc3339(at(1)),
        "to": "2026-10-01T00:00Z",
        "baseline_to": rfc3339(at(BASELINE_DAYS + 1)),
        "events": dict(events),
        "planted": [planted.record() for planted in PLANTED],
    }

"""Every metric of the monitor: name, kind, label, meaning; the one list they are made from."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["CATALOGUE", "DURATION_BUCKETS", "PREFIX", "MetricDescription", "MetricKind"]

PREFIX: Final = "outputwatch_"

DURATION_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper ends in seconds of the buckets of the checkpoint histogram."""


class MetricKind(StrEnum):
    """How a metric behaves, in the words of Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class MetricDescription:
    """One metric.

    Parameters
    ----------
    name
        As it is exposed, with the prefix and, for counters, ``_total``.
    kind
        How it behaves.
    text
        What it tells, one sentence.
    label
        The only label, if there is one.
    """

    name: str
    kind: MetricKind
    text: str
    label: str = ""


def _counter(name: str, text: str, label: str = "") -> MetricDescription:
    return MetricDescription(f"{PREFIX}{name}_total", MetricKind.COUNTER, text, label)


def _gauge(name: str, text: str, label: str = "") -> MetricDescription:
    return MetricDescription(PREFIX + name, MetricKind.GAUGE, text, label)


CATALOGUE: Final = (
    _counter("records", "Records that the source handed on."),
    _counter("rows", "Records that were counted into a window."),
    _counter("rejected_records", "Records that gave no row, by reason.", "reason"),
    _counter("late_rows", "Rows that came after their window was closed."),
    _counter("duplicate_rows", "Rows whose event id was counted before."),
    _counter("outside_rows", "Rows whose time lies outside of what the monitor watches."),
    _counter("joined_labels", "Labels that became part of their output."),
    _counter("unlabelled_outputs", "Outputs counted without a label that was waited for.", "why"),
    _gauge("waiting_records", "Records that wait for their other half, by side.", "side"),
    _gauge("oldest_waiting_age_seconds", "Clock less the time of the oldest waiting output."),
    _gauge("unaccounted_records", "Records less every count of what became of them; must be 0."),
    _counter("source_notices", "What went wrong with the source besides records.", "kind"),
    _counter("gap_records", "Positions of the source that could not be read and are lost."),
    _gauge("partition_lag", "Records that wait (bytes, for files), by partition.", "partition"),
    _gauge("assigned_partitions", "Partitions that this worker reads."),
    _gauge("watermark_delay_seconds", "How far the watermark is behind the clock."),
    _gauge("open_windows", "Windows that still take rows."),
    MetricDescription(
        f"{PREFIX}checkpoint_duration_seconds",
        MetricKind.HISTOGRAM,
        "How long committed checkpoints took.",
    ),
    _counter("checkpoint_failures", "Checkpoints that could not be committed."),
    _counter("fenced_commits", "Commits refused because another worker owns the partition."),
    _counter("decided_windows", "Windows that were closed and judged."),
    _counter("findings", "Findings about windows, by verdict.", "verdict"),
    _gauge("series", "Monitored series, by the state they are in.", "state"),
    _gauge("open_incidents", "Incidents that are not closed, by suggested tier.", "tier"),
    _gauge("outbox_messages", "Notifications that wait, or were given up (dead).", "state"),
    _gauge("rollback_ready", "1 if a rollback plan could be carried out when last tried.", "plan"),
    _counter("duty_failures", "Duties beside reading that failed and are tried again.", "duty"),
    _gauge("source_silent", "1 if silence is longer than the baseline makes plausible."),
    _gauge("source_unreachable", "1 while no broker of the source answers."),
    _gauge("paused", "1 while reading is paused because too much waits to be written."),
    _gauge("window_due_seconds", "The longest normal time between two decided windows."),
    _gauge("last_poll_timestamp_seconds", "When the source was last asked; 0: never."),
    _gauge("last_record_timestamp_seconds", "When the last record arrived; 0: never."),
    _gauge("last_checkpoint_timestamp_seconds", "When the last checkpoint committed; 0: never."),
    _gauge("last_window_timestamp_seconds", "When a window was last decided; 0: never."),
    _gauge("last_duty_timestamp_seconds", "When a duty beside reading was last done; 0: never."),
    _gauge("build_info", "1; the label tells the version.", "version"),
)
"""In the order in which they are documented."""

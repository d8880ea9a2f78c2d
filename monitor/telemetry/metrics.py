"""The monitor's metrics, in a registry of their own; each is changed in one place, here."""

import threading
from collections.abc import Iterable, Mapping
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from monitor.telemetry.accounts import BatchAccount, Vocabulary
from monitor.telemetry.catalogue import CATALOGUE, DURATION_BUCKETS, PREFIX, MetricKind

__all__ = ["CONTENT_TYPE", "Metrics"]

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4

_OTHER = "other"
_MAX_PARTITIONS = 256
_OUTBOX_STATES = ("waiting", "dead")
_WHYS = ("horizon", "limit")
_SIDES = ("outputs", "labels")


class Metrics:
    """Counts of what this process does; the truth about windows is in the database.

    Counters start at 0 with the process and include work that is done again after a restart
    or a lost partition. Labels have a closed set of values, but for partitions: the first 256
    by name have a series each, the lag of all others is added up as ``other``. May be used
    from several threads.

    Parameters
    ----------
    vocabulary
        The values that labels may take.
    version
        Of the program.
    """

    def __init__(self, vocabulary: Vocabulary, *, version: str) -> None:
        # Creation times would double the number of series, and nothing here reads them.
        disable_created_metrics()  # type: ignore[no-untyped-call] # it has no annotations
        self.registry: Final = CollectorRegistry()
        self._lock: Final = threading.Lock()
        self._vocabulary: Final = vocabulary
        self._counters: Final[dict[str, Counter]] = {}
        self._gauges: Final[dict[str, Gauge]] = {}
        for metric in CATALOGUE:
            labels = (metric.label,) if metric.label else ()
            short = metric.name.removeprefix(PREFIX)
            match metric.kind:
                case MetricKind.COUNTER:
                    counter = Counter(metric.name, metric.text, labels, registry=self.registry)
                    self._counters[short.removesuffix("_total")] = counter
                case MetricKind.GAUGE:
                    gauge = Gauge(metric.name, metric.text, labels, registry=self.registry)
                    self._gauges[short] = gauge
                case MetricKind.HISTOGRAM:
                    self._checkpoints = Histogram(
                        metric.name, metric.text, buckets=DURATION_BUCKETS, registry=self.registry
                    )
        ProcessCollector(registry=self.registry)
        self._start_at_zero()
        self._gauges["build_info"].labels(version).set(1)

    def exposition(self) -> bytes:
        """Return all metrics in the text format that Prometheus reads."""
        return generate_latest(self.registry)

    def polled(self, *, at_us: int) -> None:
        """Note that the source was asked, whether or not it had anything."""
        self._stamp("last_poll", at_us)

    def counted(self, account: BatchAccount, *, at_us: int) -> None:
        """Note what became of a batch."""
        with self._lock:
            self._counters["records"].inc(account.records)
            self._counters["rows"].inc(account.rows)
            self._counters["late_rows"].inc(account.late)
            self._counters["duplicate_rows"].inc(account.duplicates)
            self._counters["outside_rows"].inc(account.outside)
            self._counters["joined_labels"].inc(account.joined)
            without = {"horizon": account.past_horizon, "limit": account.crowded_out}
            self._add("unlabelled_outputs", without, _WHYS)
            self._gauges["unaccounted_records"].inc(account.unaccounted)
            self._add("rejected_records", account.rejected, self._vocabulary.reasons)
        if account.records:
            self._stamp("last_record", at_us)

    def noticed(self, kind: str, *, lost_records: int = 0) -> None:
        """Note a notice of the source, and how many positions can never be read."""
        self._add("source_notices", {kind: 1}, self._vocabulary.notices)
        self._counters["gap_records"].inc(lost_records)

    def lags(self, waiting: Mapping[str, int]) -> None:
        """Replace what is known about the partitions that this worker reads."""
        names = sorted(waiting)
        own = {name: waiting[name] for name in names[:_MAX_PARTITIONS]}
        if len(names) > _MAX_PARTITIONS:
            own[_OTHER] = sum(waiting[name] for name in names[_MAX_PARTITIONS:])
        gauge = self._gauges["partition_lag"]
        with self._lock:
            gauge.clear()
            for name, lag in own.items():
                gauge.labels(name).set(lag)
        self._gauges["assigned_partitions"].set(len(waiting))

    def windows_open(self, n_windows: int, *, watermark_delay_seconds: float | None) -> None:
        """Note the open windows and how far the watermark is behind; None: there is none yet."""
        self._gauges["open_windows"].set(n_windows)
        if watermark_delay_seconds is not None:
            self._gauges["watermark_delay_seconds"].set(watermark_delay_seconds)

    def checkpointed(self, seconds: float, *, at_us: int) -> None:
        """Note a committed checkpoint."""
        self._checkpoints.observe(seconds)
        self._stamp("last_checkpoint", at_us)

    def checkpoint_failed(self) -> None:
        """Note a checkpoint that could not be committed and will be tried again."""
        self._counters["checkpoint_failures"].inc()

    def fenced(self) -> None:
        """Note a commit that was refused because another worker owns the partition."""
        self._counters["fenced_commits"].inc()

    def decided(self, n_windows: int, findings: Mapping[str, int], *, at_us: int) -> None:
        """Note windows that were judged, and their findings by verdict."""
        self._counters["decided_windows"].inc(n_windows)
        self._add("findings", findings, self._vocabulary.verdicts)
        if n_windows:
            self._stamp("last_window", at_us)

    def series(self, states: Mapping[str, int]) -> None:
        """Replace how many series are in which state."""
        self._replace("series", states, self._vocabulary.states)

    def incidents(self, tiers: Mapping[str, int]) -> None:
        """Replace how many incidents are open, by suggested tier."""
        self._replace("open_incidents", tiers, self._vocabulary.tiers)

    def outbox(self, *, waiting: int, dead: int) -> None:
        """Replace how many notifications wait and how many were given up."""
        self._replace("outbox_messages", {"waiting": waiting, "dead": dead}, _OUTBOX_STATES)

    def rollbacks(self, ready: Mapping[str, int]) -> None:
        """Replace which rollback plans could be carried out, by name, those that were tried."""
        gauge = self._gauges["rollback_ready"]
        with self._lock:
            gauge.clear()
            for plan, value in ready.items():
                gauge.labels(plan).set(value)

    def duty_failed(self, name: str) -> None:
        """Note a duty beside reading that failed and will be tried again."""
        self._add("duty_failures", {name: 1}, self._vocabulary.duties)

    def attended(self, *, at_us: int) -> None:
        """Note that a duty beside reading was done."""
        self._stamp("last_duty", at_us)

    def waiting(self, *, outputs: int, labels: int, oldest_age_seconds: float) -> None:
        """Replace how many records wait for their other half, and the age of the oldest output."""
        self._replace("waiting_records", {"outputs": outputs, "labels": labels}, _SIDES)
        self._gauges["oldest_waiting_age_seconds"].set(oldest_age_seconds)

    def silent(self, silent: bool) -> None:
        """Note whether silence is longer than the baseline makes plausible."""
        self._gauges["source_silent"].set(silent)

    def unreachable(self, unreachable: bool) -> None:
        """Note whether nobody answers where records come from."""
        self._gauges["source_unreachable"].set(unreachable)

    def paused(self, paused: bool) -> None:
        """Note whether reading is paused because too much waits to be written."""
        self._gauges["paused"].set(paused)

    def windows_due_every(self, seconds: float) -> None:
        """Note the longest normal time between two decided windows.

        That is the length of a window, the lateness it allows and the time until a partition
        counts as idle.
        """
        self._gauges["window_due_seconds"].set(seconds)

    def _start_at_zero(self) -> None:
        words = self._vocabulary
        for name, values in (
            ("rejected_records", words.reasons),
            ("source_notices", words.notices),
            ("findings", words.verdicts),
            ("unlabelled_outputs", _WHYS),
            ("duty_failures", words.duties),
        ):
            for value in (*values, _OTHER):
                self._counters[name].labels(value)
        self.series({})
        self.incidents({})
        self.outbox(waiting=0, dead=0)
        self.waiting(outputs=0, labels=0, oldest_age_seconds=0.0)

    def _stamp(self, event: str, at_us: int) -> None:
        self._gauges[f"{event}_timestamp_seconds"].set(at_us / 1_000_000)

    def _add(self, name: str, counts: Mapping[str, int], allowed: tuple[str, ...]) -> None:
        for value, n in _within(counts, allowed).items():
            self._counters[name].labels(value).inc(n)

    def _replace(self, name: str, counts: Mapping[str, int], allowed: tuple[str, ...]) -> None:
        known = _within(counts, allowed)
        with self._lock:
            for value in _values(allowed):
                self._gauges[name].labels(value).set(known.get(value, 0))


def _values(allowed: Iterable[str]) -> Iterable[str]:
    yield from allowed
    yield _OTHER


def _within(counts: Mapping[str, int], allowed: tuple[str, ...]) -> dict[str, int]:
    """Return the counts with all values that are not allowed added up as ``other``."""
    kept: dict[str, int] = {}
    for value, n in counts.items():
        name = str(value) if value in allowed else _OTHER
        kept[name] = kept.get(name, 0) + n
    return kept

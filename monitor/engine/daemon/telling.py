"""A worker's metrics, health, logs, and the incidents about the monitor itself."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError

from baselines.summary import Window
from detectors.base import Verdict
from monitor.clock import Clock
from monitor.decision.heartbeat import Heartbeat
from monitor.decision.state import State
from monitor.decoding.base import RejectionReason
from monitor.engine.daemon.attending import DUTIES
from monitor.engine.daemon.checkpoint import Checkpoint
from monitor.engine.daemon.losses import LOSSES
from monitor.engine.daemon.self_watch import SelfWatch
from monitor.engine.daemon.tally import StreamTally
from monitor.errors import OutputwatchError
from monitor.incidents.suggestion import Tier
from monitor.printing import time_text
from monitor.sources.live import Backlog, Notice, NoticeKind, Outage
from monitor.storage.connection import refusal
from monitor.storage.store import Store
from monitor.telemetry.accounts import BatchAccount, Vocabulary
from monitor.telemetry.health import Condition, Health
from monitor.telemetry.logs import get_logger
from monitor.telemetry.metrics import Metrics
from monitor.windows.slices import ALL

__all__ = ["TelemetryObserver", "vocabulary"]

_LOG = get_logger(__name__)
_LOOK_SECONDS = 30.0


def vocabulary() -> Vocabulary:
    """Return the label values that the engine uses."""
    return Vocabulary(
        reasons=tuple(map(str, RejectionReason)),
        notices=tuple(map(str, NoticeKind)),
        verdicts=tuple(map(str, Verdict)),
        states=tuple(map(str, State)),
        tiers=tuple(map(str, Tier)),
        duties=DUTIES,
    )


@dataclass(slots=True, kw_only=True)
class TelemetryObserver:
    """Tells metrics, health and logs what a worker does.

    Parameters
    ----------
    metrics, health
        Of this process.
    self_watch
        Opens incidents about the stream.
    heartbeat
        How long silence is plausible; None: the history does not say.
    store, monitor
        Where the numbers that all workers share are read, and under which name.
    """

    metrics: Metrics
    health: Health
    self_watch: SelfWatch
    heartbeat: Heartbeat | None
    clock: Clock
    store: Store
    monitor: str
    _untold: list[Callable[[], None]] = field(default_factory=list)
    _last_record_us: int | None = None
    _heard_us: int | None = None
    _looked_us: int = 0
    _is_away: bool = False

    def beat(self) -> None:
        """The loop has moved."""
        self.health.beat()

    def polled(self, n_records: int) -> None:
        """So many records have arrived."""
        now_us = self.clock.now_us()
        self.metrics.polled(at_us=now_us)
        if n_records or self._last_record_us is None:
            self._last_record_us = now_us
        if n_records:
            self._heard_us = now_us
        if now_us - self._looked_us >= _LOOK_SECONDS * 1_000_000:
            self._looked_us = now_us
            self._look_for_silence(now_us)

    def answered(self, outage: Outage | None) -> None:
        """Whether somebody answers where records come from."""
        self.metrics.unreachable(outage is not None)
        if outage is None:
            self.health.holds(Condition.SOURCE)
            return
        since_us = self.clock.now_us() - int(outage.seconds * 1_000_000)
        self.health.fails(Condition.SOURCE, f"{outage.detail} since {time_text(since_us)}")

    def waiting(self, n_records: int, *, paused: bool) -> None:
        """So many records are read and not written; nothing more is read while paused."""
        self.metrics.paused(paused)
        if paused:
            self.health.fails(Condition.BACKLOG, f"{n_records} records wait to be written")
        else:
            self.health.holds(Condition.BACKLOG)

    def noticed(self, notice: Notice) -> None:
        """Something is wrong with the stream."""
        lost = 0
        if notice.first is not None and notice.end is not None:
            lost = max(0, notice.end - notice.first)
        self.metrics.noticed(str(notice.kind), lost_records=lost)
        _LOG.warning(
            "the source reports a problem",
            kind=str(notice.kind),
            partition=notice.partition,
            first=notice.first,
            end=notice.end,
            detail=notice.detail,
        )
        if notice.kind in LOSSES:
            self._open(lambda: self.self_watch.lost(notice))

    def checkpointed(
        self, checkpoint: Checkpoint, *, seconds: float, lag: Mapping[str, int]
    ) -> None:
        """A checkpoint was written."""
        now_us = self.clock.now_us()
        self.health.holds(Condition.DATABASE)
        self.health.holds(Condition.SNAPSHOT)
        if self._is_away:
            self._is_away = False
            _LOG.info("the database is written again")
        self.metrics.checkpointed(seconds, at_us=now_us)
        self.metrics.lags(lag)
        self._count(checkpoint.counted, now_us)
        for name in checkpoint.fenced:
            self.metrics.fenced()
            _LOG.warning("another worker owns a partition", partition=name)
        until_us = checkpoint.frontier.until_us
        delay = None if until_us is None else (now_us - until_us) / 1_000_000
        self.metrics.windows_open(checkpoint.n_open, watermark_delay_seconds=delay)
        for name in checkpoint.frontier.unattended:
            _LOG.warn_rarely("no worker attends a partition", key=name, partition=name)
        if checkpoint.last_record_us is not None and self._last_record_us is not None:
            # Other workers may have what this one waits for.
            self._last_record_us = max(self._last_record_us, checkpoint.last_record_us)
        if checkpoint.decision.stretches:
            self._decided(checkpoint, now_us)
        untold, self._untold = self._untold, []
        for tell in untold:
            self._open(tell)

    def joining(self, backlog: Backlog) -> None:
        """So much waits for its other half, after a checkpoint."""
        oldest_us = backlog.oldest_us
        age = 0.0 if oldest_us is None else (self.clock.now_us() - oldest_us) / 1_000_000
        self.metrics.waiting(
            outputs=backlog.n_outputs, labels=backlog.n_labels, oldest_age_seconds=max(0.0, age)
        )

    def database_away(self, error: Exception, *, seconds: float) -> None:
        """The database could not be written, for so long by now."""
        self.metrics.checkpoint_failed()
        self._is_away = True
        reason = refusal(error)
        self.health.fails(Condition.DATABASE, f"not written for {seconds:.0f} seconds: {reason}")
        _LOG.warn_rarely(
            "the database could not be written",
            key="database",
            seconds=round(seconds, 1),
            reason=reason,
        )

    def _count(self, counted: StreamTally, now_us: int) -> None:
        self.metrics.counted(
            BatchAccount(
                records=counted.n_records,
                rows=counted.n_rows,
                late=counted.n_late,
                duplicates=counted.n_duplicates,
                joined=counted.n_joined,
                waiting=counted.n_waiting,
                past_horizon=counted.n_past_horizon,
                crowded_out=counted.n_crowded_out,
                rejected={str(reason): n for reason, n in counted.rejected.items()},
            ),
            at_us=now_us,
        )
        if counted.unaccounted:
            _LOG.error("records have no account: a defect of outputwatch", n=counted.unaccounted)

    def _decided(self, checkpoint: Checkpoint, now_us: int) -> None:
        verdicts: Counter[str] = Counter()
        states: Counter[str] = Counter()
        for windows, judgement in checkpoint.decision.stretches:
            states = Counter(str(each.state.state) for each in judgement.judged)
            verdicts.update(str(each.finding.verdict) for each in judgement.judged)
            _LOG.debug(
                "window closed",
                start_us=windows[0].key.start_us,
                rows=_n_rows(windows),
                slices=len(windows),
                breaches=len(judgement.breaches),
            )
        stretches = checkpoint.decision.stretches
        _LOG.info(
            "windows closed",
            stretches=len(stretches),
            first=time_text(stretches[0][0][0].key.start_us),
            last=time_text(stretches[-1][0][0].key.start_us),
            rows=sum(_n_rows(windows) for windows, _ in stretches),
            breaches=sum(len(judgement.breaches) for _, judgement in stretches),
        )
        self.metrics.decided(len(checkpoint.decision.stretches), verdicts, at_us=now_us)
        self.metrics.series(states)
        try:
            active = self.store.incidents(self.monitor).active()
        except (OutputwatchError, DBAPIError):
            # The next checkpoint will find out whether the database is away.
            return
        self.metrics.incidents(Counter(str(each.tier) for each in active))

    def _look_for_silence(self, now_us: int) -> None:
        if (heard_us := self._heard_us) is not None:
            # A record of this process: that one began or took a partition over says nothing.
            self._heard_us = None
            self._open(lambda: self.self_watch.heard(heard_us))
        if self.heartbeat is None or self._last_record_us is None:
            return
        since_us = self._last_record_us
        silent = self.heartbeat.is_silent(since_us, now_us, poll_seconds=_LOOK_SECONDS)
        self.metrics.silent(silent)
        if silent:
            self._open(lambda: self.self_watch.silent(since_us))

    def _open(self, tell: Callable[[], None]) -> None:
        try:
            tell()
        except (OutputwatchError, DBAPIError) as error:
            self._untold.append(tell)
            _LOG.error("an incident about the monitor could not be kept yet", error=error)


def _n_rows(windows: Sequence[Window]) -> int:
    return sum(each.summary.n_rows for each in windows if each.key.slice == ALL)

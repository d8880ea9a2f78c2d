"""Incidents about the monitor itself: what it could not read, and that it sees nothing."""

from dataclasses import dataclass, field

from baselines.baseline import Baseline
from baselines.summary import WindowKey
from detectors.base import FailureMode
from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.incident_desk import monitor_name
from monitor.engine.notifying import incident_shelf
from monitor.incidents.breaches import Breach, GroupingRules
from monitor.incidents.grouping import apply
from monitor.incidents.model import Observation, SignalIdentity, SignalKind
from monitor.severity.assessment import cannot_see_suggestion
from monitor.severity.registry import SeverityPolicy
from monitor.sources.live import Notice, NoticeKind
from monitor.storage.store import Store

__all__ = ["LOSSES", "SelfWatch"]

LOSSES = frozenset(
    {
        NoticeKind.RETENTION_GAP,
        NoticeKind.UNREADABLE_BATCH,
        NoticeKind.TOPIC_REPLACED,
        NoticeKind.TRUNCATED,
    }
)
"""Notices after which some outputs will never be counted."""

_DAY_US = 86_400_000_000


@dataclass(slots=True, kw_only=True)
class SelfWatch:
    """Opens incidents of kind *cannot see* about the stream.

    Parameters
    ----------
    store
        Where incidents are kept.
    window_us
        Length of a window: an incident is told as of the window in which it was noticed.
    """

    configuration: Configuration
    baseline: Baseline
    store: Store
    policy: SeverityPolicy
    clock: Clock
    window_us: int
    _silent_since: int | None = field(default=None)

    def lost(self, notice: Notice) -> None:
        """Open or extend the incident about outputs of a partition that cannot be read."""
        now_us = self.clock.now_us()
        stretch = ""
        if notice.first is not None:
            end = "unknown" if notice.end is None else str(notice.end)
            stretch = f", positions {notice.first} to {end}"
        place = notice.partition or "the whole source"
        kind = str(notice.kind).replace("_", " ")
        sentence = f"{kind} in {place}{stretch}: {notice.detail}".rstrip(": ")
        self._tell(f"stream({place})", sentence, since_us=now_us, now_us=now_us)

    def silent(self, since_us: int) -> None:
        """Open the incident that nothing has come for longer than is plausible; once."""
        if self._silent_since == since_us:
            return
        now_us = self.clock.now_us()
        minutes = (now_us - since_us) / 60_000_000
        sentence = (
            f"no record has come for {minutes:.0f} minutes, longer than the history of this "
            "monitor makes plausible; nothing is known about the outputs of this time"
        )
        self._tell("heartbeat", sentence, since_us=since_us, now_us=now_us)
        self._silent_since = since_us

    def _tell(self, series: str, sentence: str, *, since_us: int, now_us: int) -> None:
        register = self.configuration.system
        start_us = now_us - now_us % self.window_us
        window = WindowKey(start_us, start_us + self.window_us, "all")
        breach = Breach(
            identity=SignalIdentity(
                system=register.name,
                environment=register.environment,
                failure_mode=FailureMode.BEHAVIOURAL,
                series=series,
                slice="all",
                baseline_id=self.baseline.id,
                kind=SignalKind.CANNOT_SEE,
            ),
            detector=series.partition("(")[0],
            observation=Observation(
                finding_id="", window=window, headline=f"{series}: cannot see", sentence=sentence
            ),
            suggestion=cannot_see_suggestion(
                self.policy, register=register, unseen_days=(now_us - since_us) / _DAY_US
            ),
            onset_us=since_us,
        )
        settings = self.configuration.incidents
        with self.store.begin():
            name = monitor_name(self.configuration)
            shelf = incident_shelf(self.store, self.configuration, name)
            changes = apply(
                shelf.all(),
                [breach],
                rules=GroupingRules(
                    group_windows=settings.group_windows, reopen_seconds=settings.reopen_seconds
                ),
                known_us=now_us,
            )
            shelf.apply(changes, recorded_us=now_us)

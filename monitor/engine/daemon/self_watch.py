"""Incidents about the monitor itself: what it cannot see, it says, instead of nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from baselines.baseline import Baseline
from baselines.summary import WindowKey
from detectors.base import FailureMode
from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.daemon.losses import loss_of
from monitor.engine.incident_desk import IncidentDesk, IncidentShelf, monitor_name
from monitor.engine.judgement import Judgement
from monitor.engine.notifying import incident_shelf
from monitor.incidents.breaches import Breach, Recovery
from monitor.incidents.observations import Observation, Signal, SignalIdentity, SignalKind
from monitor.severity.assessment import cannot_see_suggestion
from monitor.severity.registry import SeverityPolicy
from monitor.sources.live import Notice
from monitor.storage.store import Store

__all__ = ["SelfWatch"]

HEARTBEAT = "heartbeat"

_DAY_US = 86_400_000_000


@dataclass(slots=True, kw_only=True)
class SelfWatch:
    """Opens incidents about the stream, and proposes to resolve those that fresh records refute.

    Times are those of the wall clock. An incident of silence tells how long it has lasted; it is
    told again while it lasts, and back with the first record after it. Records that are lost
    stay lost: their incident keeps what, from where to where and how much, and nothing is
    proposed. People resolve both.

    Parameters
    ----------
    store
        Where incidents are kept.
    window_us
        Length of a window: silence is told again after so long.
    """

    configuration: Configuration
    baseline: Baseline
    store: Store
    policy: SeverityPolicy
    clock: Clock
    window_us: int
    _told: tuple[int, int] | None = field(default=None)

    def lost(self, notice: Notice) -> None:
        """Open or extend the incident about outputs of a partition that cannot be read."""
        now_us = self.clock.now_us()
        loss = loss_of(notice)
        identity = self._identity(loss.series, SignalKind.LOST)
        breach = self._breach(
            identity,
            window=WindowKey(now_us - self.window_us, now_us),
            observation=(f"records of {loss.place}", loss.sentence),
            since_us=None,
        )
        with self.store.begin():
            shelf = self._shelf()
            told = [signal.freshest.sentence for signal in _signals(shelf, identity)]
            if loss.is_exact and loss.sentence in told:
                # It was told, and the process ended before it could go on behind the loss.
                return
            self._take(shelf, breaches=(breach,))

    def silent(self, since_us: int) -> None:
        """Open the incident that nothing has come for longer than is plausible, or extend it."""
        now_us = self.clock.now_us()
        if self._told is not None:
            since_told_us, told_us = self._told
            if since_told_us == since_us and now_us - told_us < self.window_us:
                return
        minutes = (now_us - since_us) / 60_000_000
        sentence = (
            f"no record has come for {minutes:.0f} minutes, longer than the history of this "
            "monitor makes plausible; nothing is known about the outputs of this time"
        )
        breach = self._breach(
            self._identity(HEARTBEAT, SignalKind.CANNOT_SEE),
            window=WindowKey(since_us, now_us),
            observation=(HEARTBEAT, sentence),
            since_us=since_us,
        )
        with self.store.begin():
            self._take(self._shelf(), breaches=(breach,))
        self._told = (since_us, now_us)

    def heard(self, record_us: int) -> None:
        """Propose to resolve incidents of silence, now that a record came after it.

        Whichever worker and baseline opened them: only a record counts, not a restart.
        """
        self._told = None
        name = monitor_name(self.configuration)
        if not any(_silences(self.store.incidents(name))):
            return
        with self.store.begin():
            shelf = self._shelf()
            window = WindowKey(record_us, max(record_us, self.clock.now_us()))
            back = [Recovery(each, window) for each in sorted(_silences(shelf))]
            if back:
                self._take(shelf, recoveries=tuple(back))

    def _shelf(self) -> IncidentShelf:
        name = monitor_name(self.configuration)
        # Who looks first and then writes must not be overtaken in between.
        self.store.incidents(name).take_turn()
        return incident_shelf(self.store, self.configuration, name)

    def _take(
        self,
        shelf: IncidentShelf,
        *,
        breaches: tuple[Breach, ...] = (),
        recoveries: tuple[Recovery, ...] = (),
    ) -> None:
        desk = IncidentDesk.over(shelf, self.configuration, self.clock)
        desk.take(Judgement(judged=(), breaches=breaches, recoveries=recoveries))

    def _identity(self, series: str, kind: SignalKind) -> SignalIdentity:
        register = self.configuration.system
        return SignalIdentity(
            system=register.name,
            environment=register.environment,
            failure_mode=FailureMode.BEHAVIOURAL,
            series=series,
            slice="all",
            baseline_id=self.baseline.id,
            kind=kind,
        )

    def _breach(
        self,
        identity: SignalIdentity,
        *,
        window: WindowKey,
        observation: tuple[str, str],
        since_us: int | None,
    ) -> Breach:
        headline, sentence = observation
        unseen_days = None if since_us is None else (window.end_us - since_us) / _DAY_US
        return Breach(
            identity=identity,
            detector=identity.series.partition("(")[0],
            observation=Observation(
                finding_id="", window=window, headline=headline, sentence=sentence
            ),
            suggestion=cannot_see_suggestion(
                self.policy, register=self.configuration.system, unseen_days=unseen_days
            ),
            onset_us=window.end_us if since_us is None else since_us,
        )


def _signals(shelf: IncidentShelf, identity: SignalIdentity) -> list[Signal]:
    fingerprint = identity.fingerprint
    return [
        signal
        for incident in shelf.holding([fingerprint])
        for signal in incident.signals
        if signal.fingerprint == fingerprint
    ]


def _silences(shelf: IncidentShelf) -> Iterator[str]:
    """Yield the fingerprints of silences that nothing has refuted yet."""
    for incident in shelf.active():
        for signal in incident.signals:
            identity = signal.identity
            silence = identity.series == HEARTBEAT and identity.kind is SignalKind.CANNOT_SEE
            if silence and not signal.recovered:
                yield signal.fingerprint

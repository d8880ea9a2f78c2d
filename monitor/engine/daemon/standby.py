"""The duty that stands by for rollbacks: rehearse, resume, pull what is armed, look afterwards."""

import functools
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.response.rolling.desk import RollbackDesk
from monitor.engine.response.rolling.duties import (
    DuePull,
    due_pulls,
    left_behind,
    note_metrics,
)
from monitor.engine.response.rolling.readiness import tell_rehearsal
from monitor.errors import OutputwatchError
from monitor.rollbacks.plans import RollbackPlan
from monitor.rollbacks.rehearsal import Rehearsal, ready_gauge, rehearse
from monitor.storage.store import Store
from monitor.telemetry.logs import get_logger
from monitor.telemetry.metrics import Metrics

__all__ = ["Standby"]

_LOG = get_logger(__name__)
_DAY_SECONDS: Final = 86_400.0
# A plan that is not ready is tried sooner, so that it is known when it was mended.
_HOUR_SECONDS: Final = 3_600.0
_NOTES_SECONDS: Final = 60.0
_REHEARSALS_AT_ONCE: Final = 4
# A rehearsal asks the plane and the serving path a few times; each call has a time-out.
_CALLS: Final = 4
_GRACE_SECONDS: Final = 60.0


@dataclass(slots=True, kw_only=True)
class Standby:
    """Does for rollbacks what no person has to do, without waiting for any deployer.

    What calls a plane or a serving path runs in a thread of its own, so that one that hangs
    holds up neither the other duties nor another plan. Such a thread does not keep the process
    from ending: an execution that is cut off is resumed at the next start.

    Parameters
    ----------
    desk
        Carries rollbacks out.
    store, configuration, clock, metrics
        Of the worker.
    monotonic
        Seconds that never go back.
    """

    desk: RollbackDesk
    store: Store
    configuration: Configuration
    clock: Clock
    metrics: Metrics
    monotonic: Callable[[], float] = time.monotonic
    _threads: dict[str, threading.Thread] = field(default_factory=dict)
    _rehearse_at: dict[str, float] = field(default_factory=dict)
    _overdue_at: dict[str, float] = field(default_factory=dict)
    _latest: dict[str, Rehearsal] = field(default_factory=dict)
    _note_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(
        cls, configuration: Configuration, store: Store, clock: Clock, metrics: Metrics
    ) -> "Standby":
        """Return the duty of a worker."""
        return cls(
            desk=RollbackDesk.of(configuration, store, clock),
            store=store,
            configuration=configuration,
            clock=clock,
            metrics=metrics,
        )

    def __call__(self, stopping: threading.Event) -> None:
        """Begin what is due, and look at what has been going on for too long."""
        if not self.configuration.rollbacks:
            return
        for execution_id in left_behind(self.desk):
            self._begin(
                f"resume {execution_id}", functools.partial(self.desk.resume, execution_id)
            )
        for pull in due_pulls(self.desk):
            self._begin(f"pull {pull.armed_id}", functools.partial(self._pull, pull))
        if self.monotonic() >= self._note_at:
            note_metrics(self.desk, self.store, self.configuration)
            self._note_at = self.monotonic() + _NOTES_SECONDS
        for plan in self.configuration.rollbacks:
            if stopping.is_set():
                return
            self._rehearse_if_due(plan)

    def _begin(self, name: str, do: Callable[[], object]) -> bool:
        """Do something in a thread of its own, unless it is being done; return whether."""
        self._threads = {key: each for key, each in self._threads.items() if each.is_alive()}
        if name in self._threads:
            return False
        thread = threading.Thread(
            target=self._contained, args=(name, do), name=name[:60], daemon=True
        )
        self._threads[name] = thread
        thread.start()
        return True

    def _contained(self, name: str, do: Callable[[], object]) -> None:
        try:
            do()
        except OutputwatchError as error:
            _LOG.warning("a rollback of the monitor's own did not go on", what=name, error=error)
        except Exception as error:  # whatever an adapter raises, the monitor goes on
            self.metrics.duty_failed("rollbacks")
            _LOG.error("a rollback of the monitor's own failed", what=name, error=error)

    def _pull(self, pull: DuePull) -> None:
        _LOG.warning(
            "an armed rollback is carried out",
            plan=pull.plan,
            rule=pull.rule,
            incident=pull.incident_id[:12],
        )
        ended = self.desk.pull(pull.plan, rule=pull.rule, incident=pull.incident_id)
        _LOG.warning("an armed rollback has ended", plan=pull.plan, end=ended.end)

    def _rehearse_if_due(self, plan: RollbackPlan) -> None:
        now, name = self.monotonic(), f"rehearse {plan.name}"
        thread = self._threads.get(name)
        if thread is not None and thread.is_alive():
            if now >= self._overdue_at[plan.name]:
                self._overdue_at[plan.name] = now + _DAY_SECONDS
                seconds = _allowed_seconds(plan)
                reason = f"the rehearsal did not end within {seconds:.0f} seconds"
                self._keep(Rehearsal(plan=plan.name, ready=False, reasons=(reason,)))
            return
        rehearsing = sum(
            1
            for key, each in self._threads.items()
            if key.startswith("rehearse ") and each.is_alive()
        )
        if now < self._rehearse_at.get(plan.name, 0.0) or rehearsing >= _REHEARSALS_AT_ONCE:
            return
        self._overdue_at[plan.name] = now + _allowed_seconds(plan)
        # Also if it fails: then it is tried again, but not at once.
        self._rehearse_at[plan.name] = now + _HOUR_SECONDS
        self._begin(name, functools.partial(self._rehearse, plan))

    def _rehearse(self, plan: RollbackPlan) -> None:
        try:
            rehearsal = rehearse(plan)
        except Exception as error:
            reason = f"the rehearsal failed with {type(error).__name__}: {error}"
            self._keep(Rehearsal(plan=plan.name, ready=False, reasons=(reason,)))
            raise
        self._rehearse_at[plan.name] = self.monotonic() + (
            _DAY_SECONDS if rehearsal.ready else _HOUR_SECONDS
        )
        self._keep(rehearsal)

    def _keep(self, rehearsal: Rehearsal) -> None:
        """Tell the metrics and, if somebody must mend it or has done so, the incidents."""
        with self._lock:
            self._latest[rehearsal.plan] = rehearsal
            self.metrics.rollbacks(ready_gauge(self._latest.values()))
        if rehearsal.broken:
            _LOG.warning(
                "a rollback plan is not ready",
                plan=rehearsal.plan,
                reasons="; ".join(rehearsal.reasons),
            )
        tell_rehearsal(self.store, self.configuration, self.clock, rehearsal)


def _allowed_seconds(plan: RollbackPlan) -> float:
    called = plan.adapter.timeout_seconds + plan.probe.timeout_seconds
    return _GRACE_SECONDS + _CALLS * called

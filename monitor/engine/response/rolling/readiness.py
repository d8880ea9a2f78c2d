"""A plan that could not be carried out is an incident of its own: mild, and known beforehand."""

from typing import Final

from baselines.summary import WindowKey
from detectors.base import FailureMode
from monitor.clock import Clock
from monitor.config.model import Configuration
from monitor.engine.incident_desk import IncidentDesk, monitor_name
from monitor.engine.judgement import Judgement
from monitor.engine.notifying import incident_shelf
from monitor.incidents.breaches import Breach, Recovery
from monitor.incidents.observations import Observation, SignalIdentity, SignalKind
from monitor.incidents.suggestion import Axes, Suggestion, Tier
from monitor.rollbacks.rehearsal import Rehearsal
from monitor.storage.errors import ConcurrentWriteError
from monitor.storage.store import Store

__all__ = ["tell_rehearsal"]

_DAY_US: Final = 86_400_000_000
_TRIES: Final = 5
_SUGGESTION: Final = Suggestion(
    tier=Tier.SEV4,
    could_be=Tier.SEV4,
    axes=Axes(effect=0, reach=0, stakes=0, reversal=0, people=0),
    reasons=("a rollback plan could not be carried out now; no output is concerned",),
    policy="rehearsal",
)


def tell_rehearsal(
    store: Store, configuration: Configuration, clock: Clock, rehearsal: Rehearsal
) -> None:
    """Open or extend the incident about a plan that is broken, or propose to resolve it.

    A plan whose target is in force is not broken: it has nothing to do.
    """
    for tries_left in reversed(range(_TRIES)):
        try:
            with store.begin():
                _tell(store, configuration, clock, rehearsal)
            break
        except ConcurrentWriteError:
            # Somebody wrote incidents at the same time: it is free a moment later.
            if not tries_left:
                raise


def _tell(store: Store, configuration: Configuration, clock: Clock, rehearsal: Rehearsal) -> None:
    name = monitor_name(configuration)
    store.incidents(name).take_turn()
    identity = _identity(configuration, rehearsal.plan)
    now_us = clock.now_us()
    breaches: tuple[Breach, ...] = ()
    recoveries: tuple[Recovery, ...] = ()
    if rehearsal.broken:
        breaches = (_breach(identity, rehearsal, now_us),)
    else:
        recoveries = (Recovery(identity.fingerprint, WindowKey(now_us, now_us + 1)),)
    shelf = incident_shelf(store, configuration, name)
    desk = IncidentDesk.over(shelf, configuration, clock)
    desk.take(Judgement(judged=(), breaches=breaches, recoveries=recoveries))


def _breach(identity: SignalIdentity, rehearsal: Rehearsal, now_us: int) -> Breach:
    # Once a day, however often it is rehearsed.
    start_us = now_us - now_us % _DAY_US
    sentence = f"the plan could not be carried out: {'; '.join(rehearsal.reasons)}"
    return Breach(
        identity=identity,
        detector="rollback_rehearsal",
        observation=Observation(
            finding_id="",
            window=WindowKey(start_us, now_us),
            headline=f"rollback plan {rehearsal.plan!r}",
            sentence=sentence,
        ),
        suggestion=_SUGGESTION,
        onset_us=start_us,
    )


def _identity(configuration: Configuration, plan: str) -> SignalIdentity:
    register = configuration.system
    return SignalIdentity(
        system=register.name,
        environment=register.environment,
        failure_mode=FailureMode.BEHAVIOURAL,
        series=f"rollback_rehearsal({plan})",
        slice="all",
        baseline_id="",
        kind=SignalKind.NOT_READY,
    )

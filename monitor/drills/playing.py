"""A drill from beginning to end, played by a script in a time of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.drills.cast import cast_of
from monitor.drills.planting import Drill
from monitor.drills.responding import Responder, Response
from monitor.drills.switching import ScriptedRollback
from monitor.engine.incident_desk import monitor_name
from monitor.engine.notifying import telling
from monitor.engine.response.acting import ActingDesk
from monitor.engine.response.desk import ResponseDesk
from monitor.engine.response.rolling.desk import RollbackDesk
from monitor.incidents.model import Incident
from monitor.incidents.timeline import RecordedEntry
from monitor.storage.store import Store

__all__ = ["BEGIN_US", "Played", "play"]

BEGIN_US: Final = 1_789_376_400_000_000
"""2026-09-14T09:00Z, a Monday: when every scripted drill begins, so that two are alike."""

_WATCHED_MINUTES: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a scripted drill came to.

    Parameters
    ----------
    drill
        The drill, still in its folder.
    incident, timeline
        As they are in the end.
    response
        What was done, and the texts.
    """

    drill: Drill
    incident: Incident
    timeline: tuple[RecordedEntry, ...]
    response: Response


def play(name: str, folder: Path, *, against: Path | None = None) -> Played:
    """Return what comes of a scenario when a script responds.

    Parameters
    ----------
    name
        A scenario, or the path of one.
    folder
        Where everything goes; it must be empty or not be there.
    against
        A configuration whose people and channels are practised with.

    Raises
    ------
    OutputwatchError
        If the scenario, the folder or the configuration is wrong, or the people of the
        configuration cannot do what the script asks of them.
    """
    clock = FixedClock(BEGIN_US)
    if against is not None:
        # Before anything is written: a script needs more roles than small teams list.
        cast_of(load_configuration(against).people)
    drill = Drill.begun(name, folder, clock=clock, against=against, simulated=True)
    configuration = drill.configuration
    monitor = monitor_name(configuration)
    with Store.open(configuration.storage.url, must_exist=True) as store:
        rollbacks = RollbackDesk.of(configuration, store, clock, wait=_stepping(clock))
        responder = Responder(
            incident=drill.incident(store).id,
            acting=ActingDesk(
                store=store,
                monitor=monitor,
                clock=clock,
                people=configuration.people,
                tell=telling(store, configuration, monitor),
            ),
            desk=ResponseDesk(configuration, store, clock),
            clock=clock,
            cast=cast_of(configuration.people),
            script=drill.made.script,
            policy=configuration.severity,
            roll_back=ScriptedRollback(desk=rollbacks, plan=rollbacks.plans[0].name),
            watch=lambda by: _watch(drill, by),
        )
        responder.contain()
        responder.at(_WATCHED_MINUTES)
        _watch(drill, responder)
        response = responder.finish()
        drill.record(store)
        case = responder.case()
    return Played(drill=drill, incident=case.incident, timeline=case.timeline, response=response)


def _watch(drill: Drill, responder: Responder) -> None:
    minutes = drill.go_on()
    responder.noted("monitor", f"watches {minutes} more minutes of outputs")


def _stepping(clock: FixedClock) -> Callable[[float], None]:
    def wait(seconds: float) -> None:
        clock.us += int(seconds * 1_000_000)

    return wait

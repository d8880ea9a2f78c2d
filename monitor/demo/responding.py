"""One incident of the demo, from the alarm to the post-mortem: a script responds."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from baselines.store import BaselineStore
from monitor.clock import FixedClock
from monitor.config.model import Configuration
from monitor.demo.scenario import SUPPORT_ASSISTANT, at
from monitor.demo.week_after import WEEK_AFTER, write_week_after
from monitor.drills.cast import MADE_UP
from monitor.drills.measuring import Reached, milestones
from monitor.drills.place import DrillPlace
from monitor.drills.responding import Responder, Response
from monitor.drills.scenario import Switch
from monitor.drills.script import Script
from monitor.drills.switching import ScriptedRollback, flag_plan
from monitor.engine.audit import run_audit
from monitor.engine.incident_desk import monitor_name
from monitor.engine.progress import Progress
from monitor.engine.reading import TimeRange
from monitor.engine.response.acting import ActingDesk
from monitor.engine.response.desk import ResponseDesk
from monitor.engine.response.rolling.desk import RollbackDesk
from monitor.engine.runners.serial import SerialRunner
from monitor.incidents.model import Incident
from monitor.incidents.records import from_record
from monitor.incidents.roles import RefusedActError
from monitor.storage.store import Store

__all__ = ["SERIES", "Responded", "respond"]

SERIES: Final = "safety_coverage(output/moderation)"
"""The series of the incident that is responded to."""

_FROM_DAY: Final = 24
_MINUTE_US: Final = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Responded:
    """What came of the response.

    Parameters
    ----------
    incident
        As it is in the end.
    response
        What was done, and the texts.
    milestones
        The times.
    """

    incident: Incident
    response: Response
    milestones: tuple[Reached, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scripted:
    switch: Switch
    script: Script


def respond(
    directory: Path,
    configuration: Configuration,
    *,
    n_answers: int,
    seed: int,
    clock: FixedClock,
    progress: Progress,
) -> Responded | None:
    """Return what a scripted response to the dead filter came to; None if it was not found.

    Parameters
    ----------
    directory
        That of the demo.
    configuration
        That of the assistant; its incidents must be stored.
    n_answers, seed
        Of the assistant's month.
    clock
        Stands where the month was audited; it is moved on by the script.
    progress
        Told of each step of the audit of the week after.
    """
    monitor = monitor_name(configuration)
    written: dict[str, Any] = yaml.safe_load(
        files("monitor.demo").joinpath("response.yaml").read_text("utf-8")
    )
    scripted = from_record(_Scripted, written)
    with Store.open(configuration.storage.url, must_exist=True) as store:
        found = _found(store.incidents(monitor).all())
        if found is None:
            return None
        rollbacks = _rollbacks(directory, configuration, store, clock, scripted.switch)
        responder = Responder(
            incident=found.id,
            acting=ActingDesk(store=store, monitor=monitor, clock=clock),
            desk=ResponseDesk(configuration, store, clock),
            clock=clock,
            cast=MADE_UP,
            script=scripted.script,
            policy=configuration.severity,
            roll_back=ScriptedRollback(desk=rollbacks, plan=rollbacks.plans[0].name),
        )
        responder.contain()
        clock.us = max(clock.us, at(WEEK_AFTER.stop) + 10 * _MINUTE_US)
        write_week_after(directory, n_answers=n_answers, seed=seed)
        _audit_week(configuration, store, clock, progress)
        responder.noted("monitor", "sees the week after")
        try:
            responder.finish()
        except RefusedActError as refusal:
            # Fewer events are too few to see every signal back: then it stays as it is.
            responder.noted("monitor", f"does not let it be resolved: {refusal}", refused=True)
        case = responder.case()
    return Responded(
        incident=case.incident,
        response=responder.response,
        milestones=milestones(case.incident, case.timeline),
    )


def _found(incidents: tuple[Incident, ...]) -> Incident | None:
    for incident in incidents:
        if any(signal.identity.series == SERIES for signal in incident.own_signals):
            return incident
    return None


def _rollbacks(
    directory: Path, configuration: Configuration, store: Store, clock: FixedClock, switch: Switch
) -> RollbackDesk:
    """Return the desk with a plan for the flag that the demo's gateway is set by."""
    folder = directory / SUPPORT_ASSISTANT / "serving"
    folder.mkdir(exist_ok=True)
    place = DrillPlace(folder)
    place.write_system(switch)
    plan = flag_plan(
        switch,
        place.flags,
        place.probe,
        name=f"{switch.flag} back to {switch.before}",
        evidence="the first two weeks of September",
    )
    return RollbackDesk(
        store=store,
        monitor=monitor_name(configuration),
        plans=(plan,),
        clock=clock,
        wait=_stepping(clock),
    )


def _stepping(clock: FixedClock) -> Callable[[float], None]:
    def wait(seconds: float) -> None:
        clock.us += int(seconds * 1_000_000)

    return wait


def _audit_week(
    configuration: Configuration, store: Store, clock: FixedClock, progress: Progress
) -> None:
    """Audit the days around the breach and the week after, so that recovery has evidence."""
    days = [f"2026-09-{day:02d}" for day in range(_FROM_DAY, 31)]
    days += [f"2026-10-{day - 30:02d}" for day in WEEK_AFTER]
    folder = configuration.path.parent / SUPPORT_ASSISTANT / "events"
    source: Any = configuration.source
    paths = tuple(str(folder / f"{day}.jsonl.gz") for day in days)
    run_audit(
        replace(configuration, source=replace(source, paths=paths)),
        baseline=BaselineStore(configuration.baseline.directory).load("promoted"),
        store=store,
        policy=configuration.severity,
        clock=clock,
        progress=progress,
        runner=SerialRunner(),
        time=TimeRange(from_us=at(_FROM_DAY)),
    )

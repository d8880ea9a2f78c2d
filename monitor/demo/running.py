"""The demo from beginning to end: events, baselines, audits, incidents."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from baselines.store import BaselineStore
from monitor.clock import Clock, FixedClock
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.demo.configurations import write_configurations
from monitor.demo.outcome import Outcome, compare_with_truth
from monitor.demo.responding import Responded, respond
from monitor.demo.scenario import PLANTED, SUPPORT_ASSISTANT, SYSTEMS
from monitor.demo.writing import Written, write_events
from monitor.engine.audit import AuditResult, run_audit
from monitor.engine.fit import fit_baseline
from monitor.engine.progress import Progress
from monitor.engine.reading import TimeRange
from monitor.engine.runners.serial import SerialRunner
from monitor.incidents.model import Incident
from monitor.storage.store import Store

__all__ = ["DemoResult", "run_demo"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoResult:
    """What the demo made and found.

    Parameters
    ----------
    written
        The events.
    configurations
        The configuration file of each system.
    audits
        What the audit of each system found.
    outcome
        What was planted, matched with the incidents.
    responded
        What a script made of one of them; None if it was not found.
    """

    written: Written
    configurations: dict[str, Path]
    audits: dict[str, AuditResult]
    outcome: Outcome
    responded: Responded | None = None

    @property
    def incidents(self) -> tuple[Incident, ...]:
        """Return the incidents of both systems in order of time."""
        found = [incident for audit in self.audits.values() for incident in audit.incidents]
        return tuple(sorted(found, key=lambda one: (one.first_window, one.system, one.id)))


def run_demo(
    directory: Path,
    *,
    n_events: int,
    seed: int,
    clock: FixedClock,
    progress: Progress,
    say: Callable[[str], None],
) -> DemoResult:
    """Return what a monitor finds in a month of made-up events.

    The first two weeks of each system become its baseline; the rest is audited. A script then
    responds to one of the incidents, in the demo's own time.

    Parameters
    ----------
    directory
        Where events, configurations, baselines and databases are written; those of an earlier
        demo there are replaced.
    n_events, seed
        As in `monitor.demo.writing.write_events`.
    clock
        When baselines are made and incidents become known; the response moves it on.
    progress, say
        Told how far it is: within a step, and of each step.

    Raises
    ------
    ValueError
        If `n_events` is too small.
    """
    if (directory / "scenario.json").exists():
        _forget(directory)
    written = write_events(directory, n_events=n_events, seed=seed, progress=say)
    configurations = write_configurations(directory)
    audits: dict[str, AuditResult] = {}
    for system, path in configurations.items():
        configuration = load_configuration(path)
        say(f"fitting and promoting a baseline of {system}, then auditing the days after it")
        audits[system] = _fit_and_audit(configuration, clock, progress)
    incidents = [incident for audit in audits.values() for incident in audit.incidents]
    outcome = compare_with_truth(PLANTED, incidents)
    say("letting a script respond to the dead filter, and watching the week after")
    responded = respond(
        directory,
        load_configuration(configurations[SUPPORT_ASSISTANT]),
        n_answers=written.events[SUPPORT_ASSISTANT],
        seed=seed,
        clock=clock,
        progress=progress,
    )
    return DemoResult(
        written=written,
        configurations=configurations,
        audits=audits,
        outcome=outcome,
        responded=responded,
    )


def _forget(directory: Path) -> None:
    """Remove the databases of an earlier demo, so that its incidents do not mix with the new."""
    for system in SYSTEMS:
        for pattern in ("outputwatch.db*", "events/2026-10-*"):
            for path in (directory / system).glob(pattern):
                path.unlink()


def _fit_and_audit(configuration: Configuration, clock: Clock, progress: Progress) -> AuditResult:
    fitted = fit_baseline(configuration, clock=clock, progress=progress)
    baselines = BaselineStore(configuration.baseline.directory)
    version = baselines.save(fitted.baseline)
    baselines.promote(
        version, who="demo", why="the first two weeks are known to be good", at=clock.now_us()
    )
    after = TimeRange(from_us=configuration.baseline.reference.to_us)
    with Store.open(configuration.storage.url) as store:
        return run_audit(
            configuration,
            baseline=fitted.baseline,
            store=store,
            policy=configuration.severity,
            clock=clock,
            progress=progress,
            runner=SerialRunner(),
            time=after,
        )

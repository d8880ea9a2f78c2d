"""A drill under way: outputs are written, audited by the engine, and told to nobody outside."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from baselines.store import BaselineStore
from monitor.clock import Clock
from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.drills.outputs import MINUTE_US, write_minutes
from monitor.drills.place import DrillError, DrillPlace, DrillState
from monitor.drills.scenario import Scenario, scenario
from monitor.engine.audit import run_audit
from monitor.engine.fit import fit_baseline
from monitor.engine.incident_desk import monitor_name
from monitor.engine.progress import NoProgress
from monitor.engine.reading import TimeRange
from monitor.engine.runners.serial import SerialRunner
from monitor.engine.sending import Outcome, Sender
from monitor.incidents.model import Incident
from monitor.incidents.timeline import EntryKind
from monitor.storage.store import Store

__all__ = ["BASELINE_MINUTES", "BREACH_MINUTES", "Drill"]

BASELINE_MINUTES: Final = 40
BREACH_MINUTES: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Drill:
    """A drill in its folder.

    Parameters
    ----------
    place
        The folder.
    made
        What is played.
    configuration
        That of the drill.
    clock
        Tells the time: the machine's, or a script's.
    """

    place: DrillPlace
    made: Scenario
    configuration: Configuration
    clock: Clock

    @classmethod
    def begun(
        cls,
        name: str,
        folder: Path,
        *,
        clock: Clock,
        against: Path | None = None,
        simulated: bool = False,
    ) -> "Drill":
        """Plant a breach: forty usual minutes, six broken ones, and an audit of them.

        Parameters
        ----------
        name
            A scenario, or the path of one.
        folder
            Where everything goes; it must be empty or not be there.
        clock
            Tells the time.
        against
            A configuration whose people and channels are practised with; nothing else of it is
            read, and nothing is sent on its channels.
        simulated
            Whether a script plays it, in time of its own.

        Raises
        ------
        ScenarioError
            If there is no such scenario.
        DrillError
            If the folder is not empty.
        ConfigurationError
            If `against` is wrong.
        """
        made = scenario(name)
        theirs = None if against is None else load_configuration(against)
        place = DrillPlace(folder)
        place.create()
        now_us = clock.now_us() // MINUTE_US * MINUTE_US
        breach_us = now_us - BREACH_MINUTES * MINUTE_US
        first_us = breach_us - BASELINE_MINUTES * MINUTE_US
        place.write_system(made.switch)
        place.write_configuration(made, breach_us=breach_us, against=theirs)
        write_minutes(made, place.outputs, from_us=first_us, to_us=breach_us, switched_us=None)
        write_minutes(made, place.outputs, from_us=breach_us, to_us=now_us, switched_us=breach_us)
        place.keep(
            DrillState(
                scenario=name if name == made.name else str(Path(name).resolve()),
                begun_us=clock.now_us(),
                breach_us=breach_us,
                written_us=now_us,
                simulated=simulated,
                against="" if against is None else str(against),
            )
        )
        drill = cls(place=place, made=made, configuration=place.configuration(), clock=clock)
        drill._fit()
        drill.watch()
        return drill

    @classmethod
    def opened(cls, folder: Path, clock: Clock) -> "Drill":
        """Return the drill in a folder.

        Raises
        ------
        DrillError
            If there is none.
        """
        place = DrillPlace(folder)
        made = place.scenario()
        return cls(place=place, made=made, configuration=place.configuration(), clock=clock)

    def watch(self) -> Incident:
        """Audit all outputs so far, write down what is told, and return the incident.

        Raises
        ------
        DrillError
            If the outputs opened none: the scenario does not work.
        """
        configuration = self.configuration
        directory = configuration.baseline.directory
        baseline = BaselineStore(directory).load("promoted")
        with Store.open(configuration.storage.url) as store:
            run_audit(
                configuration,
                baseline=baseline,
                store=store,
                policy=configuration.severity,
                clock=self.clock,
                progress=NoProgress(),
                runner=SerialRunner(),
                time=TimeRange(from_us=self.place.state().breach_us),
            )
            self.record(store)
            return self.incident(store)

    def go_on(self) -> int:
        """Write the outputs since, under the release that was served, and watch them.

        Returns
        -------
        int
            How many minutes were added.
        """
        state = self.place.state()
        now_us = self.clock.now_us() // MINUTE_US * MINUTE_US
        back_us = min(max(self._back_us() or now_us, state.written_us), max(now_us, 0))
        # A minute that saw both releases counts as broken.
        usual_us = max(state.written_us, -(-back_us // MINUTE_US) * MINUTE_US)
        outputs = self.place.outputs
        broken_us = state.breach_us
        added = write_minutes(
            self.made,
            outputs,
            from_us=state.written_us,
            to_us=min(usual_us, now_us),
            switched_us=broken_us,
        )
        added += write_minutes(
            self.made, outputs, from_us=usual_us, to_us=now_us, switched_us=None
        )
        if added:
            self.place.keep(replace(state, written_us=now_us))
        self.watch()
        return added

    def incident(self, store: Store) -> Incident:
        """Return the incident of the planted breach.

        Raises
        ------
        DrillError
            If there is none.
        """
        incidents = store.incidents(monitor_name(self.configuration)).all()
        for incident in incidents:
            if any(each.identity.series == self.made.series for each in incident.own_signals):
                return incident
        found = sorted({s.identity.series for each in incidents for s in each.own_signals})
        message = (
            f"the scenario {self.made.name!r} must raise {self.made.series!r}, got "
            f"{', '.join(found) or 'no incident'}; look at its outputs and tolerances"
        )
        raise DrillError(message)

    def record(self, store: Store) -> int:
        """Empty the outbox into the file that stands for every channel; return how many."""
        sender = Sender(
            store=store,
            monitor=monitor_name(self.configuration),
            settings=self.configuration.notifiers,
            clock=self.clock,
            jitter=lambda: 0.0,
        )
        told = 0
        for channel in self.configuration.notifiers.channels:
            while sender.send_next(channel) is Outcome.SENT:
                told += 1
        return told

    def _fit(self) -> None:
        fitted = fit_baseline(self.configuration, clock=self.clock, progress=NoProgress())
        baselines = BaselineStore(self.configuration.baseline.directory)
        version = baselines.save(fitted.baseline)
        why = "the minutes before the planted breach"
        baselines.promote(version, who="drill", why=why, at=self.clock.now_us())

    def _back_us(self) -> int | None:
        """Return when the release before was served again; None if it is not."""
        if self.place.served(self.made) != self.made.switch.before:
            return None
        with Store.open(self.configuration.storage.url, must_exist=True) as store:
            repository = store.incidents(monitor_name(self.configuration))
            timeline = repository.timeline(self.incident(store).id)
        served = [
            each.entry.occurred_us
            for each in timeline
            if each.entry.kind is EntryKind.ROLLBACK_APPLIED
        ]
        if served:
            return served[-1]
        # Switched by hand: the file knows when.
        return self.place.flags.stat().st_mtime_ns // 1_000

"""The folder of a drill: a configuration, outputs, a flag that they follow, a database."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from monitor.config.load import load_configuration
from monitor.config.model import Configuration
from monitor.drills.scenario import Scenario, Switch, scenario
from monitor.drills.switching import flag_plan, plan_section
from monitor.errors import OutputwatchError
from monitor.incidents.records import from_record, to_record
from monitor.notifiers.record import RecordingChannel
from monitor.printing import time_text
from monitor.rollbacks.plans import RollbackPlan

__all__ = ["DrillError", "DrillPlace", "DrillState"]

_BANNER: Final = (
    "# A drill: everything here is made up, and nothing that happens here leaves this machine.\n"
    "# It was written by `outputwatch drill`; delete the folder when you are done.\n"
)
_PROBE: Final = """\
#!{python} -I
# Stands for a server that answers requests: it prints which release it runs, as it reads it.
import json

with open({flags!r}, encoding="utf-8") as file:
    print(json.load(file)["flags"][{flag!r}]["defaultVariant"])
"""


class DrillError(OutputwatchError):
    """There is no drill in the folder, or none can be begun there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DrillState:
    """How far a drill is.

    Parameters
    ----------
    scenario
        The name or the path of its scenario.
    begun_us
        When it began.
    breach_us
        When the breach was planted, microseconds since the epoch.
    written_us
        Until when there are outputs.
    simulated
        Whether its time is not that of the clock: a script plays it.
    against
        The configuration that people and channels were read from; empty: none.
    """

    scenario: str
    begun_us: int
    breach_us: int
    written_us: int
    simulated: bool = False
    against: str = ""


@dataclass(frozen=True, slots=True)
class DrillPlace:
    """Where a drill is kept."""

    folder: Path

    @property
    def configuration_path(self) -> Path:
        """Return the configuration that commands are given."""
        return self.folder / "drill.yaml"

    @property
    def flags(self) -> Path:
        """Return the file of the flag that is switched back."""
        return self.folder.resolve() / "flags.json"

    @property
    def probe(self) -> Path:
        """Return the program that says what is served."""
        return self.folder.resolve() / "what-is-served"

    @property
    def notices(self) -> Path:
        """Return the file of what would have been told."""
        return self.folder.resolve() / "notices.jsonl"

    @property
    def outputs(self) -> Path:
        """Return the folder of the made-up outputs."""
        return self.folder / "events"

    def plan(self, made: Scenario) -> RollbackPlan:
        """Return the plan that puts the release before back."""
        return flag_plan(
            made.switch,
            self.flags,
            self.probe,
            name=f"DRILL {made.switch.flag} back to {made.switch.before}",
            evidence="the minutes before the planted breach",
        )

    def create(self) -> None:
        """Make the folder.

        Raises
        ------
        DrillError
            If something is there already.
        """
        if self.folder.exists() and (not self.folder.is_dir() or any(self.folder.iterdir())):
            message = (
                f"a drill begins in an empty folder, got {str(self.folder)!r} with something in "
                "it; name another one with --directory"
            )
            raise DrillError(message)
        self.folder.mkdir(parents=True, exist_ok=True)

    def configuration(self) -> Configuration:
        """Return the configuration of the drill."""
        return load_configuration(self.configuration_path)

    def state(self) -> DrillState:
        """Return how far the drill is.

        Raises
        ------
        DrillError
            If none was begun here.
        """
        try:
            text = (self.folder / "drill.json").read_text(encoding="utf-8")
        except OSError as error:
            message = (
                f"there is no drill in {str(self.folder)!r}; begin one with 'drill SCENARIO' or "
                "name its folder with --directory"
            )
            raise DrillError(message) from error
        return from_record(DrillState, json.loads(text))

    def keep(self, state: DrillState) -> None:
        """Write down how far the drill is."""
        text = json.dumps(to_record(state), indent=2) + "\n"
        (self.folder / "drill.json").write_text(text, encoding="utf-8")

    def scenario(self) -> Scenario:
        """Return the scenario that is played."""
        return scenario(self.state().scenario)

    def served(self, made: Scenario) -> str:
        """Return the variant that the made-up system serves now."""
        document = json.loads(self.flags.read_text(encoding="utf-8"))
        return str(document["flags"][made.switch.flag]["defaultVariant"])

    def write_system(self, switch: Switch) -> None:
        """Write the flag, set to the release that breaks, and the program that reads it."""
        flag = {
            "state": "ENABLED",
            "variants": {
                variant: switch.values.get(variant, variant)
                for variant in (switch.before, switch.after)
            },
            "defaultVariant": switch.after,
        }
        document = {"flags": {switch.flag: flag}}
        self.flags.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        text = _PROBE.format(python=sys.executable, flags=str(self.flags), flag=switch.flag)
        self.probe.write_text(text, encoding="utf-8")
        os.chmod(self.probe, 0o700)  # noqa: PTH101 - the mode must not depend on the umask

    def write_configuration(
        self, made: Scenario, *, breach_us: int, against: Configuration | None
    ) -> None:
        """Write the configuration: the scenario's, in a database and with channels of its own."""
        document = {
            "version": 1,
            **made.configuration,
            "source": {"type": "files", "paths": ["events/*.jsonl"]},
            "windows": {"type": "tumbling", "seconds": 60},
            "baseline": {"directory": "baselines", "reference": {"to": time_text(breach_us)}},
            "incidents": {"drill": True},
            "notifiers": {"audits": True, "channels": self._channels(against)},
            "storage": {"url": "sqlite:///outputwatch.db"},
            "dead_letters": {"path": "dead_letters.jsonl"},
            "rollbacks": [plan_section(self.plan(made))],
        }
        if against is not None and against.people.members:
            document["people"] = _people(against)
        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
        self.configuration_path.write_text(_BANNER + text, encoding="utf-8")

    def _channels(self, against: Configuration | None) -> list[Mapping[str, Any]]:
        """Return a recording channel in the place of each that the configuration has."""
        channels = () if against is None else against.notifiers.channels
        return [self._recording(each.channel, each) for each in channels] or [
            self._recording("everybody", None)
        ]

    def _recording(self, channel: str, original: Any) -> Mapping[str, Any]:  # noqa: ANN401 - notifiers of other distributions have no common class
        recorded: dict[str, Any] = {
            "type": RecordingChannel.name,
            "channel": channel,
            "path": str(self.notices),
            "drill": True,
        }
        if original is not None:
            recorded |= {
                "stands_for": original.name,
                "min_tier": original.min_tier.value,
                "failure_modes": [mode.value for mode in original.failure_modes],
            }
        return recorded


def _people(against: Configuration) -> Mapping[str, Any]:
    people = against.people
    return {
        "members": {name: [r.value for r in roles] for name, roles in people.members.items()},
        "required_roles": [role.value for role in people.required_roles],
    }

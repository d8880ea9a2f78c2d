"""The rollback of a drill: a plan for the flag, agreed to by two persons, seen to be served."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from monitor.drills.responding import Responder
from monitor.drills.scenario import Switch
from monitor.engine.response.rolling.desk import RollbackDesk
from monitor.incidents.records import Record, canonical_json, to_record
from monitor.incidents.roles import RefusedActError, Role
from monitor.rollbacks.adapters.flag_file import FlagFile
from monitor.rollbacks.errors import RefusedError
from monitor.rollbacks.plans import (
    Evidence,
    PlanOptions,
    Release,
    RollbackPlan,
    Verification,
)
from monitor.rollbacks.probes.command import CommandProbe

__all__ = ["ScriptedRollback", "flag_plan", "plan_section"]

_VERIFICATION: Final = Verification(reads=3, interval_seconds=1.0, max_minutes=2.0)


def flag_plan(
    switch: Switch, flags: Path, probe: Path, *, name: str, evidence: str
) -> RollbackPlan:
    """Return the plan that puts the release before back.

    Parameters
    ----------
    switch
        What is switched.
    flags, probe
        The file of the flag, and the program that says what is served; absolute.
    name
        What the plan is called.
    evidence
        Where it shows that the release before was good.
    """
    before = Release(reference=switch.before, evidence=Evidence.PASSING, evidence_source=evidence)
    return RollbackPlan(
        options=PlanOptions(
            name=name,
            kind=switch.kind,
            target=switch.flag,
            owner="made up",
            releases=(before, Release(reference=switch.after)),
            verification=_VERIFICATION,
        ),
        adapter=FlagFile(path=str(flags), flag=switch.flag),
        probe=CommandProbe(program=str(probe)),
    )


def plan_section(plan: RollbackPlan) -> Record:
    """Return a plan as the section ``rollbacks`` of a configuration has it."""
    # Read back from canonical JSON: what is registered need not be of a class that is known here.
    parts = json.loads(canonical_json({"adapter": plan.adapter, "probe": plan.probe}))
    return {
        **to_record(plan.options),
        "adapter": {"type": plan.adapter.name, **parts["adapter"]},
        "probe": {"type": plan.probe.name, **parts["probe"]},
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptedRollback:
    """Prepares, is refused alone, is agreed to by a second person, and runs.

    Parameters
    ----------
    desk
        Takes rollbacks, as the commands of people do.
    plan
        The name of the plan.
    """

    desk: RollbackDesk
    plan: str

    def __call__(self, responder: Responder) -> None:
        """Take the plan from its dry run to what the serving path shows."""
        script = responder.script
        by, second = responder.person(Role.COMMANDER), responder.person(Role.ML_LEAD)
        responder.at(2)
        asked = self.desk.prepare(self.plan, by, script.rollback, incident=responder.incident)
        responder.noted(by.name, f"asks for the rollback: {script.rollback}")
        responder.noted("dry run", asked.dry_run.text)
        responder.at(1)
        try:
            self.desk.run(asked.id, by)
        except (RefusedActError, RefusedError) as error:
            responder.noted(by.name, f"is refused: {error}", refused=True)
        else:
            message = "a rollback must not run before a second person agrees"
            raise RuntimeError(message)
        responder.at(2)
        self.desk.approve(
            asked.id,
            second,
            asked.dry_run.hash,
            reason=script.approved,
            legal_answer=script.legal_answer,
        )
        responder.noted(second.name, f"agrees to the dry run: {script.approved}")
        responder.at(0.5)
        ended = self.desk.run(asked.id, by)
        end = "" if ended.end is None else ended.end.value.replace("_", " ")
        responder.noted("rollback", f"{end}: {ended.explanation}")

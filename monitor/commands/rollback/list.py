"""``outputwatch rollback list``: the plans, what is armed, and the rollbacks so far."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from monitor.commands.rollback import add_configuration_argument, opened_desk

if TYPE_CHECKING:
    from monitor.rollbacks.execution import Execution
    from monitor.rollbacks.ledger import Armed
    from monitor.rollbacks.plans import RollbackPlan

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "list"
HELP = "list plans, what is armed, and the rollbacks so far"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration and of which incident."""
    add_configuration_argument(parser)
    parser.add_argument("--incident", metavar="ID", help="only rollbacks of this incident")


def run(arguments: argparse.Namespace) -> int:
    """Write one row for each."""
    from monitor.incidents.records import to_record
    from monitor.printing import say, write_json
    from monitor.rollbacks.wording import armed_record, rollback_record

    with opened_desk(arguments) as desk:
        plans, armed = desk.plans, desk.consents()
        executions = desk.executions(arguments.incident)
        switch = desk.store.rollbacks().switch()
    stopped = switch if switch is not None and switch.stopped else None
    if arguments.json:
        write_json(
            {
                "stopped": None if stopped is None else to_record(stopped),
                "plans": [_plan_record(plan) for plan in plans],
                "armed": [armed_record(each) for each in armed],
                "rollbacks": [rollback_record(each) for each in executions],
            }
        )
        return 0
    if stopped is not None:
        say(f"rollbacks are stopped by {stopped.actor}: {stopped.reason}")
    _write_plans(plans)
    _write_armed(armed)
    _write_executions(executions)
    return 0


def _plan_record(plan: "RollbackPlan") -> dict[str, object]:
    return {
        "name": plan.name,
        "kind": plan.options.kind.value,
        "target": plan.target,
        "owner": plan.options.owner,
        "to": plan.options.to,
        "adapter": plan.adapter.name,
        "approvals": plan.options.approvals,
        "high_risk": plan.options.high_risk,
        "digest": plan.digest,
    }


def _write_plans(plans: "Sequence[RollbackPlan]") -> None:
    from monitor.printing import say, write_table

    if not plans:
        say("no plans are configured")
        return
    rows = [
        (plan.name, plan.options.kind.value, plan.target, plan.options.to, plan.options.owner)
        for plan in plans
    ]
    write_table(("plan", "kind", "target", "to", "owner"), rows)


def _write_armed(armed: "tuple[Armed, ...]") -> None:
    from monitor.printing import time_text, write_line, write_table

    if not armed:
        return
    write_line("\nARMED")
    rows = [
        (each.id[:12], each.plan, each.rule, ", ".join(each.approvers), time_text(each.expires_us))
        for each in armed
    ]
    write_table(("id", "plan", "rule", "agreed", "until"), rows)


def _write_executions(executions: "tuple[Execution, ...]") -> None:
    from monitor.printing import time_text, write_line, write_table
    from monitor.rollbacks.wording import state_words

    if not executions:
        return
    write_line("\nROLLBACKS")
    rows = [
        (
            each.id[:12],
            time_text(each.prepared_us),
            each.plan,
            "" if each.incident_id is None else each.incident_id[:12],
            f"{each.dry_run.from_value} -> {each.dry_run.to_value}",
            each.requested_by,
            state_words(each),
        )
        for each in executions
    ]
    headings = ("id", "prepared", "plan", "incident", "change", "asked by", "state")
    write_table(headings, rows)

"""``outputwatch comms show``: the latest version of a draft, and what it lacks."""

import argparse
import dataclasses
from typing import TYPE_CHECKING

from monitor.commands.comms import (
    add_audience_argument,
    add_case_arguments,
    opened_desk,
    subject,
)
from monitor.printing import say, write_json, write_line

if TYPE_CHECKING:
    from monitor.engine.response.desk import Case
    from monitor.incidents.drafts.draft import Draft

__all__ = ["HELP", "NAME", "add_arguments", "run", "write_draft"]

NAME = "show"
HELP = "show the latest version of a draft, or with --to-send the text without citations"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident, the audience and the form of the text."""
    add_case_arguments(parser)
    add_audience_argument(parser)
    parser.add_argument(
        "--to-send", action="store_true", help="write an approved text, without citations"
    )


def run(arguments: argparse.Namespace) -> int:
    """Write the draft."""
    from monitor.errors import OutputwatchError
    from monitor.incidents.drafts.draft import DraftStage, stage_of, text_to_send

    about = subject(arguments)
    with opened_desk(arguments) as desk:
        case = desk.case(arguments.incident)
        draft = desk.latest(case, about)
    if not arguments.to_send:
        write_draft(draft, case, as_json=arguments.json)
        return 0
    stage = stage_of(draft, case.timeline)
    if stage not in {DraftStage.APPROVED, DraftStage.SENT}:
        message = (
            f"version {draft.version} of {about!r} must be approved before it is sent, it is "
            f"{stage.value}"
        )
        raise OutputwatchError(message)
    write_line(text_to_send(draft.text))
    return 0


def write_draft(draft: "Draft", case: "Case", *, as_json: bool) -> None:
    """Write a draft with its stage, what blocks it and when it is due."""
    from monitor.incidents.drafts.audiences import WHEN, Audience
    from monitor.incidents.drafts.draft import stage_of

    stage = stage_of(draft, case.timeline)
    when = WHEN[case.incident.tier][Audience(draft.subject.partition(":")[0])]
    if as_json:
        extra = {"hash": draft.hash, "stage": stage.value, "when": when}
        write_json({**dataclasses.asdict(draft), **extra})
        return
    write_line(draft.text)
    say(
        f"{draft.subject}, version {draft.version}, {stage.value}; in {case.incident.tier.value}: "
        f"{when}; sha256 {draft.hash[:12]}"
    )
    if draft.blocking:
        say(f"cannot be approved before these are known: {', '.join(draft.blocking)}")

"""What a script made of one incident of the demo, in few lines."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from monitor.demo.responding import Responded
from monitor.drills.responding import Step
from monitor.drills.telling import milestones_record, response_record, times_text
from monitor.incidents.drafts.draft import Draft, text_to_send
from monitor.incidents.drafts.plain_times import plain_moment

__all__ = ["responded_record", "responded_text"]

_WIDTH: Final = 99
_LEFT_OUT: Final = ("opens ", "names ", "states ", "signs ", "writes ", "adds ")
"""Steps that are many and alike; `incident show` has them all."""


def responded_text(responded: Responded, configuration: Path) -> Iterator[str]:
    """Yield the response: its steps, the letter to people, the times, and where to read on."""
    incident, response = responded.incident, responded.response
    yield "ONE OF THEM, FROM THE ALARM TO THE POST-MORTEM"
    yield from _wrapped(
        f"A script responds to {incident.system} #{incident.number}. The persons are made up, and "
        "so is the time: the month was audited on 1 October, and the week after shows whether it "
        "helped. Nothing was sent."
    )
    yield ""
    yield from _steps(response.steps)
    letter = response.drafts["affected"]
    yield from ("", " The letter to people who may be affected, as approved:")
    for line in text_to_send(letter.text).strip().splitlines():
        yield from _wrapped(line.replace("# ", "").strip(), indent=6) or [""]
    others = ", ".join(_short(s, d) for s, d in response.drafts.items() if d is not letter)
    yield from ("", *_wrapped(f"Approved too: {others}."), "", " How long it took:")
    yield from (f" {line}" for line in times_text(responded.milestones))
    lacks = ", ".join(response.missing) or "nothing"
    yield from _wrapped(f"The post-mortem is drafted; it lacks {lacks}. Read it with:")
    yield f"  outputwatch postmortem draft {configuration} {incident.number}"


def responded_record(responded: Responded) -> dict[str, Any]:
    """Return the same, JSON-ready, with every step and text."""
    return {
        "incident": responded.incident.id,
        "number": responded.incident.number,
        "state": responded.incident.state.value,
        "milestones": milestones_record(responded.milestones),
        **response_record(responded.response),
    }


def _steps(steps: list[Step]) -> Iterator[str]:
    day = ""
    for step in steps:
        if step.what.startswith(_LEFT_OUT):
            continue
        today, _, clock = plain_moment(step.at_us).removeprefix("on ").partition(" at ")
        if today != day:
            yield f" {today}"
            day = today
        who = step.who.removesuffix(" (made up)")
        first, *rest = step.what.splitlines()
        said = textwrap.shorten(first, _WIDTH - 19, placeholder=" ...")
        yield f"  {clock[:5]} {who:<9}  {said}"
        # Of a dry run, what would change.
        yield from (f"{' ' * 12}{line}" for line in rest if line.startswith(("- ", "+ ")))


def _short(subject: str, draft: Draft) -> str:
    unknown = len(draft.unknown)
    says = f", {unknown} unknown and said so" if unknown else ""
    return f"the text for {subject} ({len(draft.text.splitlines())} lines{says})"


def _wrapped(text: str, *, indent: int = 1) -> list[str]:
    margin = " " * indent
    return textwrap.wrap(
        text, _WIDTH, initial_indent=margin, subsequent_indent=margin, break_on_hyphens=False
    )

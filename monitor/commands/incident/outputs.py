"""``outputwatch incident outputs``: the outputs that were kept as an incident opened."""

import argparse

from monitor.commands.incident import add_act_arguments, occasion, response_desk
from monitor.printing import say, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "outputs"
HELP = "write the outputs that were kept as an incident opened; that you looked is written down"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the incident and the person."""
    add_act_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write one JSON object a line, with or without ``--json``."""
    from monitor.errors import OutputwatchError
    from monitor.incidents.acts.recording import OpenEvidence
    from monitor.incidents.timeline import EntryKind

    on = occasion(arguments)
    with response_desk(arguments, arguments.incident) as desk:
        incident = desk.incidents.find(arguments.incident)
        annexes = [
            each.entry.body
            for each in desk.incidents.timeline(incident.id)
            if each.entry.kind is EntryKind.EVIDENCE_SAMPLED
        ]
        if not annexes:
            message = (
                f"no outputs were kept of incident {incident.short_id!r}; 'evidence.sample_rows' "
                "of the configuration says how many are"
            )
            raise OutputwatchError(message)
        if "sample" not in annexes[0]:
            reason = annexes[0].get("not_available", "no sample was asked for")
            message = f"no outputs were kept of incident {incident.short_id!r}: {reason}"
            raise OutputwatchError(message)
        content = desk.unseal(incident.id, annexes[0]["sample"]["commitment"])
        desk.act(incident.id, OpenEvidence(), on)
    for line in content.splitlines():
        write_line(line)
    say(f"{annexes[0]['sample']['n_rows']} of {annexes[0]['n_rows']} outputs were kept")
    return 0

"""``outputwatch silence add``: keep signals from being told, now or in a maintenance window."""

import argparse

from monitor.commands.incident import add_person_arguments, time_us
from monitor.printing import write_json, write_line

__all__ = ["HELP", "NAME", "add_arguments", "run"]

NAME = "add"
HELP = "silence a series, a slice or a failure mode until a time"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the configuration, who answers for it, what and until when."""
    parser.add_argument("configuration", metavar="CONFIG", help="a YAML file")
    add_person_arguments(parser)
    parser.add_argument("--series", metavar="PATTERN", default="*", help="such as 'psi(*'")
    parser.add_argument("--slice", metavar="PATTERN", default="*", help="such as 'region=*'")
    parser.add_argument(
        "--mode",
        choices=("bias", "safety", "performance", "behavioural"),
        help="only signals of this kind",
    )
    parser.add_argument("--start", metavar="TIME", help="RFC 3339; without it from now on")
    parser.add_argument("--until", metavar="TIME", required=True, help="RFC 3339")
    parser.add_argument("--json", action="store_true", help="write the answer as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Keep the silence and write its id."""
    import secrets

    from detectors.base import FailureMode
    from monitor.clock import SystemClock
    from monitor.config.load import load_configuration
    from monitor.engine.incident_desk import monitor_name
    from monitor.incidents.roles import Person, Role
    from monitor.incidents.silences import Silence, check_silence
    from monitor.storage.store import Store

    configuration = load_configuration(arguments.configuration)
    now_us = SystemClock().now_us()
    start_us = time_us("--start", arguments.start)
    silence = Silence(
        id=secrets.token_hex(32),
        owner=arguments.by,
        role=arguments.role,
        reason=arguments.reason,
        from_us=now_us if start_us is None else start_us,
        until_us=time_us("--until", arguments.until) or 0,
        series=arguments.series,
        slice=arguments.slice,
        failure_mode=FailureMode(arguments.mode) if arguments.mode else None,
        created_us=now_us,
    )
    by = Person(name=arguments.by, role=Role(arguments.role))
    check_silence(silence, by, configuration.people)
    with Store.open(configuration.storage.url, must_exist=True) as store:
        store.incidents(monitor_name(configuration)).silences().save(silence)
    if arguments.json:
        write_json({"id": silence.id, "until": arguments.until})
    else:
        write_line(f"{silence.id[:12]} is silent until {arguments.until}")
    return 0

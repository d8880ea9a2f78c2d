"""Runbooks are data that holds: every command can be typed, every role may do it."""

import shlex
from pathlib import Path

import pytest

from detectors.base import FailureMode
from monitor.cli import command_parser
from monitor.incidents.first_steps import first_steps
from monitor.incidents.observations import SignalKind
from monitor.incidents.roles import Role
from monitor.incidents.runbooks.library import runbooks, runbooks_in
from monitor.incidents.runbooks.model import RunbookError
from monitor.incidents.suggestion import Tier

REPOSITORY = Path(__file__).resolve().parents[4]
FILLED = {"TIER": "SEV2", "DUTY": "gdpr_33"}


def commands() -> list[tuple[str, str, Role]]:
    return [
        (mode.value, command, step.who)
        for mode, runbook in runbooks().items()
        for step in runbook.steps
        for command in step.commands
    ]


def test_every_failure_mode_has_a_runbook_with_steps_in_order_and_what_not_to_do() -> None:
    assert set(runbooks()) == set(FailureMode)
    for runbook in runbooks().values():
        assert 1 <= runbook.first < len(runbook.steps)
        assert {Role.ON_CALL, Role.COMMANDER, Role.LEGAL, Role.COMMUNICATIONS} <= {
            step.who for step in runbook.steps
        }
        assert all(each.startswith("do not ") for each in runbook.do_not)


@pytest.mark.parametrize(("mode", "command", "_who"), commands())
def test_every_command_of_a_runbook_can_be_typed(mode: str, command: str, _who: Role) -> None:
    words = [FILLED.get(word, word) for word in shlex.split(command)]

    assert callable(command_parser().parse_args(words).run)


@pytest.mark.parametrize(("mode", "command", "who"), commands())
def test_a_command_names_a_role_of_a_person(mode: str, command: str, who: Role) -> None:
    words = shlex.split(command)
    for option in ("--role", "--as"):
        if option in words:
            assert Role(words[words.index(option) + 1])


def test_the_page_of_an_incident_begins_with_its_runbook() -> None:
    for mode, runbook in runbooks().items():
        steps = first_steps(mode, SignalKind.BREACH, Tier.SEV2)

        assert steps[: runbook.first] == runbook.first_steps
        assert steps[-1].startswith("then ask: ")


def test_the_examples_are_those_that_the_program_reads() -> None:
    examples = REPOSITORY / "configs" / "runbooks"

    assert runbooks_in(examples) == runbooks()
    assert {each.name for each in examples.iterdir()} == {
        f"{mode.value}.yaml" for mode in FailureMode
    }


def test_a_runbook_of_ones_own_takes_the_place_of_ours(tmp_path: Path) -> None:
    ours = (REPOSITORY / "configs" / "runbooks" / "bias.yaml").read_text("utf-8")
    (tmp_path / "bias.yaml").write_text(ours.replace("a group is treated worse", "A and B"))

    found = runbooks_in(tmp_path)

    assert found[FailureMode.BIAS].title.startswith("A and B")
    assert found[FailureMode.SAFETY] == runbooks()[FailureMode.SAFETY]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("safety.yaml", ("", ""), "must be called bias.yaml"),
        ("bias.yaml", ("who: on_call", "who: nobody"), "no valid runbook"),
        ("bias.yaml", ("do_not:", "never:"), "no valid runbook"),
    ],
)
def test_a_wrong_runbook_is_refused_with_its_name(
    tmp_path: Path, name: str, change: tuple[str, str], message: str
) -> None:
    ours = (REPOSITORY / "configs" / "runbooks" / "bias.yaml").read_text("utf-8")
    (tmp_path / name).write_text(ours.replace(*change))

    with pytest.raises(RunbookError, match=message):
        runbooks_in(tmp_path)
    with pytest.raises(RunbookError, match="must be in a folder"):
        runbooks_in(tmp_path / "nowhere")

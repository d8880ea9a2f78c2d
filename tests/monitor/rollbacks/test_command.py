from pathlib import Path

import pytest

from monitor.rollbacks.adapter import Observed
from monitor.rollbacks.adapters.command import Command
from monitor.rollbacks.errors import MovedError, OutcomeUnknownError, UnreadableError
from monitor.rollbacks.execution import EndState
from monitor.rollbacks.probes.command import CommandProbe
from tests.monitor.rollbacks.carrying_out import carried_out, plan_to, script

SWITCH = """#!/bin/sh
state="{folder}/state"
case "$1" in
  show) /bin/cat "$state" ;;
  set)
    printf '%s\\n' "$@" > "{folder}/arguments"
    [ "$(/bin/cat "$state")" = "$3" ] || exit 75
    printf '%s' "$2" > "$state" ;;
  leak) /bin/cat "{folder}/token"; exit 3 ;;
esac
"""

INJECTIONS = [
    "v7;rm -rf /",
    "$(id)",
    "`id`",
    "v7 v8",
    "--force",
    "-rf",
    "v7\nv8",
    "v7\0",
    "{expect}",
    "v7|cat",
    "",
    "v" * 129,
    "../v7",
]


def command(folder: Path, **options: object) -> Command:
    (folder / "state").write_text("v8")
    program = script(folder / "switch", SWITCH.format(folder=folder))
    return Command(
        program=program,
        observe_arguments=("show",),
        apply_arguments=("set", "{to}", "{expect}", "release={to}; {key}"),
        **options,
    )


def test_a_command_is_carried_out_and_seen_served(tmp_path: Path) -> None:
    adapter = command(tmp_path)
    probe = CommandProbe(program=adapter.program, arguments=("show",))

    ended = carried_out(plan_to(adapter, probe, to="v7"), tmp_path)

    assert (ended.end, (tmp_path / "state").read_text()) == (EndState.VERIFIED, "v7")
    arguments = (tmp_path / "arguments").read_text().splitlines()
    assert arguments == ["set", "v7", "v8", f"release=v7; {ended.id}"]


@pytest.mark.parametrize("to", INJECTIONS)
def test_what_is_no_plain_reference_never_reaches_the_program(tmp_path: Path, to: str) -> None:
    adapter = command(tmp_path)
    expect = adapter.observe()

    with pytest.raises(ValueError, match="must begin with a letter or digit"):
        adapter.apply(expect, to, key="k")
    with pytest.raises(ValueError, match="must begin with a letter or digit"):
        adapter.diff(to)

    assert not (tmp_path / "arguments").exists()


@pytest.mark.parametrize("printed", ["v8; rm -rf /", "$(id)", "", "--all"])
def test_a_program_that_prints_no_plain_reference_is_not_believed(
    tmp_path: Path, printed: str
) -> None:
    adapter = command(tmp_path)
    (tmp_path / "state").write_text(printed)

    with pytest.raises(UnreadableError, match="must begin with a letter or digit"):
        adapter.observe()


def test_a_program_may_say_that_the_target_has_moved(tmp_path: Path) -> None:
    adapter = command(tmp_path)
    stale = Observed(value="v9", reference="v9", revision="v9")

    with pytest.raises(MovedError):
        adapter.apply(stale, "v7", key="k")


def test_any_other_failure_has_an_unknown_outcome_and_shows_no_secret(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hunter22-and-more\n")
    adapter = Command(
        program=command(tmp_path).program,
        observe_arguments=("show",),
        apply_arguments=("leak", "{to}"),
        secret_files=(str(tmp_path / "token"),),
    )

    with pytest.raises(OutcomeUnknownError, match="status 3: <secret>") as caught:
        adapter.apply(adapter.observe(), "v7", key="k")

    assert "hunter22" not in str(caught.value)


def test_a_hanging_program_has_an_unknown_outcome(tmp_path: Path) -> None:
    program = script(tmp_path / "hang", "#!/bin/sh\n/bin/sleep 60 & /bin/sleep 60\n")
    adapter = Command(
        program=program,
        observe_arguments=("show",),
        apply_arguments=("{to}",),
        timeout_seconds=0.5,
    )
    expect = Observed(value="v8", reference="v8", revision="v8")

    with pytest.raises(OutcomeUnknownError, match="its time was up"):
        adapter.apply(expect, "v7", key="k")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"program": "switch"}, "program must be an absolute path"),
        ({"program": "/usr/../bin/sh"}, "without '..'"),
        ({"apply_arguments": ("set",)}, "must hold '{to}'"),
        ({"secret_files": ("token",)}, "secret_files must be an absolute path"),
    ],
)
def test_options_that_cannot_be_right_are_refused(
    options: dict[str, object], sentence: str
) -> None:
    given = {
        "program": "/bin/true",
        "observe_arguments": (),
        "apply_arguments": ("{to}",),
        **options,
    }

    with pytest.raises(ValueError, match=sentence):
        Command(**given)

import json
from pathlib import Path

import pytest

from monitor.rollbacks.adapters.flag_file import FlagFile
from monitor.rollbacks.errors import MovedError, UnreadableError
from monitor.rollbacks.execution import EndState
from monitor.rollbacks.probes.command import CommandProbe
from tests.monitor.rollbacks.carrying_out import carried_out, plan_to, script

FLAGS = {
    "$schema": "https://flagd.dev/schema/v0/flags.json",
    "flags": {
        "prompt": {
            "state": "ENABLED",
            "variants": {"careful": "prompt-7 für alle", "bold": "prompt-8"},
            "defaultVariant": "bold",
        },
        "other": {"state": "ENABLED", "variants": {"on": True}, "defaultVariant": "on"},
    },
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "flags.json"
    path.write_text(json.dumps(FLAGS, indent=4, ensure_ascii=False) + "\n", "utf-8")
    return path


def changed(path: Path, **options: object) -> None:
    document = json.loads(path.read_text())
    document["flags"]["prompt"].update(options)
    path.write_text(json.dumps(document))


def test_only_the_default_variant_of_the_flag_changes(path: Path) -> None:
    path.chmod(0o640)
    adapter = FlagFile(path=str(path), flag="prompt")
    before = path.read_text("utf-8")

    adapter.apply(adapter.observe(), "careful", key="k")

    expected = before.replace('"defaultVariant": "bold"', '"defaultVariant": "careful"')
    assert path.read_text("utf-8") == expected
    assert path.stat().st_mode & 0o777 == 0o640
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_flag_is_switched_and_seen_served(path: Path, tmp_path: Path) -> None:
    # What serves reads the file itself, with other code than ours.
    reads = f"""#!/usr/bin/python3
import json
flag = json.load(open({str(path)!r}, encoding="utf-8"))["flags"]["prompt"]
print(flag["variants"][flag["defaultVariant"]])
"""
    probe = CommandProbe(program=script(tmp_path / "serving", reads))
    adapter = FlagFile(path=str(path), flag="prompt")

    ended = carried_out(
        plan_to(adapter, probe, to="careful", serving="prompt-7 für alle"), tmp_path
    )

    assert ended.end is EndState.VERIFIED


def test_a_file_that_was_changed_since_it_was_read_is_left_alone(path: Path) -> None:
    adapter = FlagFile(path=str(path), flag="prompt")
    expect = adapter.observe()
    changed(path, state="DISABLED")
    there = path.read_bytes()

    with pytest.raises(MovedError, match="must be as it was read"):
        adapter.apply(expect, "careful", key="k")

    assert path.read_bytes() == there


def test_a_link_stays_and_the_file_behind_it_is_replaced(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(path)
    adapter = FlagFile(path=str(link), flag="prompt")

    adapter.apply(adapter.observe(), "careful", key="k")

    assert link.is_symlink()
    assert FlagFile(path=str(path), flag="prompt").observe().value == "careful"


def test_the_diff_shows_the_values_and_what_goes_before_them(path: Path) -> None:
    changed(path, targeting={"if": []}, state="DISABLED")
    changed(path, targeting={"if": [True, "bold"]})

    diff = FlagFile(path=str(path), flag="prompt").diff("careful")

    assert (diff.from_value, diff.to_value) == ("bold", "careful")
    assert '- "prompt-8"' in diff.text
    assert '+ "prompt-7 für alle"' in diff.text
    assert "targeting rules" in diff.text
    assert "disabled" in diff.text


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "must be JSON"),
        ('{"flags": {}, "flags": {}}', "the same name twice"),
        ("[]", "must hold an object"),
        ('{"flags": {}}', "must have the flag 'prompt'"),
        ('{"flags": {"prompt": {"variants": {"a": 1}}}}', "must have a 'defaultVariant'"),
    ],
)
def test_a_file_that_cannot_be_understood_is_one_sentence(
    path: Path, content: str, sentence: str
) -> None:
    path.write_text(content)

    with pytest.raises(UnreadableError, match=sentence):
        FlagFile(path=str(path), flag="prompt").observe()


def test_a_variant_that_is_not_there_is_refused_in_the_dry_run(path: Path) -> None:
    with pytest.raises(UnreadableError, match="has no variant 'shy'; it has careful, bold"):
        FlagFile(path=str(path), flag="prompt").diff("shy")

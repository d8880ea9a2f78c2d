"""The commands of the page about the first hour work, in the order of the page."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from monitor.__main__ import main
from monitor.cli import command_parser
from monitor.drills.scenario import shipped
from monitor.incidents.runbooks.library import runbooks_in

PAGES = (
    "docs/how-to/first-hour.md",
    "docs/how-to/run-a-drill.md",
    "docs/how-to/write-a-runbook.md",
)


def commands_of(page: Path) -> list[list[str]]:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return [shlex.split(line)[1:] for line in re.findall(r"^outputwatch .*$", text, re.MULTILINE)]


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_the_page_is_one(repository: Path, name: str) -> None:
    commands = commands_of(repository / name)

    assert len(commands) >= 2
    for words in commands:
        assert callable(command_parser().parse_args(words).run)


def test_the_first_hour_can_be_typed_from_top_to_bottom(
    repository: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    filled: dict[str, str] = {}
    begun, *commands = commands_of(repository / PAGES[0])

    assert main(begun) == 3
    capsys.readouterr()
    for words in commands:
        prepares = words[:2] == ["rollback", "prepare"]
        typed = [filled.get(word, word) for word in words] + ["--json"] * prepares
        status = main(typed)
        output = capsys.readouterr()
        assert status == 0, (typed, output.err)
        if prepares:
            prepared = json.loads(output.out)
            filled = {"ROLLBACK": prepared["id"], "HASH": prepared["dry_run"]["hash"]}

    assert "rollback verified" in output.out
    standing = {line.split("  ")[1]: line for line in output.out.splitlines() if "in time" in line}
    assert {"acknowledged", "severity decided", "legal screen", "contained"} <= set(standing)


def test_the_table_of_scenarios_is_whole(repository: Path) -> None:
    page = (repository / PAGES[1]).read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+) \|", page, re.MULTILINE)

    assert sorted(rows) == sorted(
        (name, each.failure_mode.value) for name, each in shipped().items()
    )


def test_the_runbook_of_the_page_is_read(repository: Path, tmp_path: Path) -> None:
    page = (repository / PAGES[2]).read_text(encoding="utf-8")
    text = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)[0]
    name = yaml.safe_load(text)["failure_mode"]
    (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")

    found = {mode.value: each for mode, each in runbooks_in(tmp_path).items()}

    assert found[name].first_steps == (found[name].steps[0].do,)

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from monitor.cli import run_command_line
from monitor.storage import Store

CONFIGURATION = Path(__file__).parents[1] / "config/testdata/smallest.good.yaml"
ADA = ("--by", "ada", "--role", "owner", "--reason", "the vendor migrates")
FAR = ("--until", "2999-01-31T00:00:00Z", "--start", "2999-01-02T00:00:00Z")
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    monkeypatch.chdir(tmp_path)
    text = CONFIGURATION.read_text(encoding="utf-8")
    (tmp_path / "monitor.yaml").write_text(
        f"{text}\nstorage:\n  url: sqlite:///monitor.db\n", encoding="utf-8"
    )
    Store.open("sqlite:///monitor.db").close()

    def ran(verb: str, *words: str) -> tuple[int, str, str]:
        status = run_command_line(["silence", verb, "monitor.yaml", *words])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return ran


def test_a_silence_is_added_listed_and_ended(run: Run) -> None:
    _, out, _ = run("add", *ADA, *FAR, "--series", "psi(*", "--json")
    (listed,) = json.loads(run("list", "--json")[1])
    beginning = json.loads(out)["id"][:8]

    status, ended, _ = run("end", beginning, *ADA)

    assert (listed["owner"], listed["series"], listed["state"]) == ("ada", "psi(*", "to come")
    assert (status, "has ended" in ended) == (0, True)
    assert json.loads(run("list", "--json")[1]) == []
    assert json.loads(run("list", "--all", "--json")[1])[0]["ended_by"] == "ada"
    assert "ended already" in run("end", beginning, *ADA)[2]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((*ADA, *FAR), "must name a series"),
        ((*ADA, "--until", "2001-01-01T00:00:00Z", "--series", "x"), "must end in the future"),
        ((*ADA, "--until", "2999-01-01T00:00:00Z", "--series", "x"), "within 30 days"),
        ((*ADA[:4], *FAR, "--series", "x"), "needs a reason"),
        (("--by", "a", "--role", "legal", "--reason", "r", *FAR, "--series", "x"), "decided by"),
    ],
)
def test_a_silence_that_says_too_little_or_lasts_too_long_is_refused(
    run: Run, words: tuple[str, ...], expected: str
) -> None:
    status, _, err = run("add", *words)

    assert status == 1
    assert expected in err
    assert run("list")[2] == "no silences\n"

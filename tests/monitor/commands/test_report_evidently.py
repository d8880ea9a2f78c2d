"""``outputwatch report evidently`` on the demo's log."""

import json
import shutil
from pathlib import Path

import pytest

from monitor.__main__ import main
from monitor.demo.writing import write_events

CONFIGURATION = Path(__file__).parents[3] / "monitor" / "demo" / "loan-scorer.yaml"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    write_events(folder, n_events=6_000, seed=1)
    shutil.copy(CONFIGURATION, folder)
    return folder


def test_the_page_and_the_scores_show_the_planted_drift(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = demo / "reports" / "drift.html"
    arguments = ["report", "evidently", str(demo / "loan-scorer.yaml"), "--window", "2026-09-19"]

    status = main([*arguments, "--until", "2026-09-24", "--output", str(page), "--json"])

    record = json.loads(capsys.readouterr().out)
    assert status == 0
    assert record["columns"][0]["column"] == "income"
    assert record["columns"][0]["drifted"]
    assert record["n_window"] > 300
    assert "income" in page.read_text()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--window", "2030-01-01"], "the log has no rows of slice 'all' between 2030-01-01"),
        (["--window", "soon"], "--window must be a time such as"),
        (["--window", "2026-09-20", "--until", "2026-09-20"], "must be later than --window"),
        (["--window", "2026-09-20", "--slice", "channel=fax"], "no rows of slice 'channel=fax'"),
    ],
)
def test_what_cannot_be_reported_is_said_in_one_sentence(
    demo: Path, capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    page = demo / "none.html"

    status = main(
        ["report", "evidently", str(demo / "loan-scorer.yaml"), *options, "--output", str(page)]
    )

    assert status == 1
    assert message in capsys.readouterr().err
    assert not page.exists()


def test_a_sample_of_no_rows_is_a_usage_error(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["report", "evidently", str(demo / "loan-scorer.yaml"), "--window", "2026-09-20"]

    status = main([*arguments, "--output", str(demo / "x.html"), "--sample-rows", "0"])

    assert status == 2
    assert "at least 1, got '0'" in capsys.readouterr().err

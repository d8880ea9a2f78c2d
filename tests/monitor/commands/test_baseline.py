import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from baselines.baseline import Baseline, Provenance
from baselines.columns import Categories, Columns, Numbers
from baselines.counting import count
from baselines.fitting import fit_layout
from baselines.layout import AxisNeed
from baselines.schema import Column, Role, Schema
from baselines.store import BaselineStore
from monitor.cli import run_command_line

CONFIGURATION = Path(__file__).parents[1] / "config/testdata/smallest.good.yaml"
SCHEMA = Schema(
    columns=(
        Column(name="income", role=Role.NUMERIC),
        Column(name="sex", role=Role.GROUP),
    )
)
Run = Callable[..., int]


def baseline(*, shift: float, levels: tuple[str, ...], created_at_us: int) -> Baseline:
    rows = 400
    values = np.arange(rows, dtype=np.float64) % 100 + shift
    codes = (np.arange(rows) % len(levels)).astype(np.int32)
    fields = {"income": Numbers(values), "sex": Categories(codes, levels)}
    columns = Columns(n_rows=rows, time_us=np.zeros(rows, np.int64), fields=fields)
    layout = fit_layout(columns, SCHEMA, [(AxisNeed("income"),), (AxisNeed("sex"),)])
    return Baseline(
        schema=SCHEMA,
        layout=layout,
        references={"all": count(columns, layout)},
        provenance=Provenance(
            source="[red]logs[/red]",
            from_us=None,
            to_us=1_769_904_000_000_000,
            first_us=None if created_at_us == 2_000_000 else 1_767_225_600_000_000,
            last_us=None if created_at_us == 2_000_000 else 1_769_817_600_000_000,
            n_rows=rows,
            n_rejected=3,
            windows={"type": "tumbling", "seconds": 86_400},
            n_windows=31,
            created_at_us=created_at_us,
            outputwatch_version="0.1.0",
        ),
    )


@pytest.fixture
def run(tmp_path: Path) -> Run:
    path = tmp_path / "monitor.yaml"
    path.write_text(CONFIGURATION.read_text())

    def run_baseline(verb: str, *arguments: str) -> int:
        return run_command_line(["baseline", verb, str(path), *arguments])

    return run_baseline


@pytest.fixture
def ids(tmp_path: Path) -> tuple[str, str]:
    store = BaselineStore(tmp_path / "baselines")
    old = baseline(shift=0, levels=("f", "m"), created_at_us=1_000_000)
    new = baseline(shift=50, levels=("f", "m", "x"), created_at_us=2_000_000)
    return store.save(old), store.save(new)


def test_an_empty_store_lists_nothing(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    status = run("list")

    captured = capsys.readouterr()
    assert status == 0
    assert captured.out == ""
    assert captured.err.endswith("yet; fit one\n")


def test_versions_are_listed_oldest_first(
    run: Run, ids: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    status = run("list")

    heading, _, first, second = capsys.readouterr().out.splitlines()
    assert status == 0
    assert heading.split() == [
        *("version", "in", "force", "made", "from", "to", "rows", "rejected", "windows")
    ]
    assert first.split() == [
        *(ids[0][:12], "1970-01-01T00:00:01Z", "2026-01-01T00:00:00Z"),
        *("2026-01-31T00:00:00Z", "400", "3", "31"),
    ]
    assert second.split() == [
        *(ids[1][:12], "1970-01-01T00:00:02Z", "unknown", "unknown", "400", "3", "31")
    ]


def test_a_promotion_is_listed_with_who_and_why_kept(
    run: Run, ids: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    promoted = run("promote", ids[1][:8], "--who", "Ada", "--why", "new model approved")
    run("list", "--json")

    said, _, listed = capsys.readouterr().out.partition("\n")
    promotion = BaselineStore(tmp_path / "baselines").promoted()
    assert promoted == 0
    assert said == f"baseline {ids[1]} is in force"
    assert [one["is_promoted"] for one in json.loads(listed)] == [False, True]
    assert promotion is not None
    assert (promotion.who, promotion.why) == ("Ada", "new model approved")


def test_a_second_promotion_names_what_it_replaces(
    run: Run, ids: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    run("promote", ids[0], "--who", "Ada", "--why", "first")
    capsys.readouterr()

    run("promote", ids[1], "--who", "Ada", "--why", "second", "--json")

    assert json.loads(capsys.readouterr().out)["previous"] == ids[0]


@pytest.mark.parametrize("given", [("--who", "Ada"), ("--why", "because")])
def test_a_promotion_without_a_person_or_a_reason_is_wrong_usage(
    run: Run, ids: tuple[str, str], given: tuple[str, ...]
) -> None:
    assert run("promote", ids[0], *given) == 2


def test_a_version_is_shown_with_where_it_comes_from(
    run: Run, ids: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    status = run("show", ids[0])

    lines = capsys.readouterr().out.splitlines()
    assert status == 0
    assert lines[0] == f"id:      {ids[0]}"
    assert "source:  [red]logs[/red]" in lines
    assert "events:  2026-01-01T00:00:00Z to 2026-01-31T00:00:00Z" in lines
    assert "wanted:  before 2026-02-01T00:00:00Z" in lines
    assert "history: 31 windows of 1 day" in lines
    assert "rows:    400, and 3 records rejected" in lines
    assert any(line.split() == ["all", "400"] for line in lines)


def test_a_version_as_json_counts_what_it_counted(
    run: Run, ids: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    run("show", ids[1], "--json")

    answer = json.loads(capsys.readouterr().out)
    assert answer["id"] == ids[1]
    assert answer["slices"] == {"all": 400}
    assert answer["columns"] == ["income", "sex"]
    assert set(answer["tables"]) == {"income", "sex"}


def test_a_difference_shows_levels_and_moved_values(
    run: Run, ids: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    status = run("diff", *ids)

    lines = capsys.readouterr().out.splitlines()
    assert status == 0
    assert lines[0] == f"{ids[0][:12]} (400 rows) -> {ids[1][:12]} (400 rows)"
    assert "levels of sex: +x" in lines
    assert any(line.split()[:1] == ["income"] and "%" in line for line in lines)


def test_a_difference_as_json_has_both_versions(
    run: Run, ids: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    run("diff", *ids, "--json")

    answer = json.loads(capsys.readouterr().out)
    assert (answer["old_id"], answer["new_id"]) == ids
    assert answer["levels"] == [{"column": "sex", "added": ["x"], "removed": []}]
    assert {each["column"] for each in answer["distributions"]} == {"income", "sex"}


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("promoted", "is promoted yet; promote one"),
        ("000000", "no baseline begins with '000000'"),
        ("0", "at least 6 digits"),
    ],
)
def test_a_version_that_is_not_there_is_one_sentence(
    run: Run, ids: tuple[str, str], version: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run("show", version)

    captured = capsys.readouterr()
    assert status == 1
    assert message in captured.err
    assert captured.out == ""


def test_a_damaged_version_is_one_sentence(
    run: Run, ids: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"baselines/{ids[0]}.owbl"
    path.write_bytes(path.read_bytes()[:-5])

    status = run("show", ids[0])

    assert status == 1
    assert capsys.readouterr().err.startswith(str(path))

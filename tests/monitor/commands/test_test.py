"""``outputwatch test``, as a user runs it."""

import json
from pathlib import Path

import pytest

from monitor.cli import run_command_line

ROOT = Path(__file__).parents[3]
SHIPPED = sorted(ROOT.glob("configs/policies/*.test.yaml"))
CONFIGURATION = """
version: 1
system: {name: assistant}
source: {type: files, paths: ["*.jsonl"]}
schema:
  columns:
    - {name: ts, role: timestamp}
    - {name: refused, role: prediction, positive: ["yes"]}
    - {name: income, role: numeric}
    - {name: plan, role: slice}
windows: {type: tumbling, seconds: 86400}
detectors:
  - {type: rate_change, column: refused, rule: evidence}
  - {type: missing_rate, column: refused, rule: evidence}
  - {type: rate_change, column: refused, name: simple, rule: threshold, for_windows: 2}
  - {type: distribution_shift, column: income, rule: evidence}
"""
HEAD = "configuration: audit.yaml\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "audit.yaml").write_text(CONFIGURATION)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def file_of(*series: str, head: str = HEAD) -> str:
    listed = "".join(f"      - {each}\n" for each in series)
    return f"{head}tests:\n  - name: it\n    series:\n{listed}"


QUIET = "baseline: '(50/1000, 60/1000) x 10', windows: '55/1000 x 4, 200/1000 x 4'"


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_policy_tests_that_are_shipped_pass(path: Path, capsys) -> None:
    status = run_command_line(["test", str(path)])

    assert status == 0, capsys.readouterr().out


def test_there_are_policy_tests_to_begin_from() -> None:
    assert len(SHIPPED) >= 2


def test_both_rules_are_judged_as_the_monitor_judges_them(folder: Path, capsys) -> None:
    expect = "expect: [{window: 5, state: pending}, {window: 6, state: firing, tier: SEV3}]"
    text = file_of(f"{{series: 'rate_change(refused) [simple]', {QUIET}, {expect}}}")
    (folder / "a.test.yaml").write_text(text)
    expect = "expect: [{window: 4, state: inactive}, {window: 6, state: firing, incident: true}]"
    text = file_of(f"{{series: rate_change(refused), {QUIET}, {expect}}}")
    (folder / "b.test.yaml").write_text(text)

    status = run_command_line(["test", "a.test.yaml", "b.test.yaml"])

    assert (status, capsys.readouterr().out.splitlines()) == (
        0,
        ["ok     a.test.yaml: it", "ok     b.test.yaml: it", "2 tests"],
    )


def test_a_change_that_comes_back_is_an_incident_again(folder: Path, capsys) -> None:
    windows = "windows: '55/1000 x 2, 200/1000 x 3, 55/1000 x 9, 200/1000 x 3'"
    expect = ", ".join(
        f"{{window: {window}, incident: {incident}}}"
        for window, incident in ((2, "false"), (5, "true"), (14, "false"), (17, "true"))
    )
    (folder / "a.test.yaml").write_text(
        file_of(
            "{series: rate_change(refused), baseline: '(50/1000, 60/1000) x 10', "
            f"{windows}, expect: [{expect}]}}"
        )
    )

    status = run_command_line(["test", "a.test.yaml"])

    assert status == 0, capsys.readouterr().out


def test_what_does_not_hold_is_told_with_what_was_found(folder: Path, capsys) -> None:
    expect = "expect: [{window: 4, state: firing, at_least: SEV2}]"
    (folder / "a.test.yaml").write_text(
        file_of(f"{{series: rate_change(refused), {QUIET}, {expect}}}")
    )

    status = run_command_line(["test", "a.test.yaml"])

    lines = capsys.readouterr().out.splitlines()
    assert status == 1
    assert lines[0] == "FAILED a.test.yaml: it"
    assert "expected firing, found inactive; evidence at 0." in lines[1]
    assert "% of an alarm" in lines[1]
    assert "expected an incident of SEV2 or more severe, found no incident" in lines[2]
    assert lines[3] == "1 test, 1 failed"


def test_a_program_gets_every_miss(folder: Path, capsys) -> None:
    expect = "expect: [{window: 6, state: inactive}]"
    (folder / "a.test.yaml").write_text(
        file_of(f"{{series: rate_change(refused), {QUIET}, {expect}}}")
    )

    status = run_command_line(["test", "a.test.yaml", "--json"])

    (answer,) = json.loads(capsys.readouterr().out)
    (miss,) = answer["misses"]
    assert (status, answer["ok"]) == (1, False)
    assert (miss["line"], miss["window"], miss["found"]) == (5, 6, "firing")
    assert miss["incident"] == "SEV3"
    assert "normally 5.5 %" in miss["sentence"]


def test_the_budget_is_shared_with_the_series_that_are_not_tested(folder: Path, capsys) -> None:
    expect = "expect: [{window: 5, state: resolved}]"
    evidence = []
    for head in (HEAD, f"{HEAD}slices: 10\n"):
        text = file_of(f"{{series: rate_change(refused), {QUIET}, {expect}}}", head=head)
        (folder / "a.test.yaml").write_text(text)
        run_command_line(["test", "a.test.yaml", "--json"])
        evidence.append(json.loads(capsys.readouterr().out)[0]["misses"][0]["evidence"])

    alone, with_slices = evidence

    assert 0 < with_slices < alone / 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a list\n", "a.test.yaml:1:1: must be a mapping"),
        ("tests: []\n", "a.test.yaml:1:1: configuration: must be given"),
        (HEAD, "a.test.yaml:1:1: tests: must be a list of at least one test"),
        (f"{HEAD}test: []\n", "a.test.yaml:2:1: test: unknown option; did you mean 'tests'?"),
        (
            f"{HEAD}window_seconds: 5\ntests: []\n",
            "a.test.yaml:2:1: window_seconds: goes with windows of a number of outputs only",
        ),
        (
            file_of("{series: rate_change(refusd), expect: []}"),
            "a.test.yaml:5:10: tests[0].series[0].series: must be a series of the configuration, "
            "got 'rate_change(refusd)'; did you mean 'rate_change(refused)'?",
        ),
        (
            file_of("{series: rate_change(refused), baseline: 5 x 3, windows: 5/9}"),
            "a.test.yaml:5:40: tests[0].series[0].baseline: rate_change reads 'hits/total', "
            "where hits are outputs where refused is yes, got '5'",
        ),
        (
            file_of("{series: rate_change(refused), baseline: 5/9}"),
            "tests[0].series[0]: baseline and windows go together, got one",
        ),
        (
            file_of(
                "{series: rate_change(refused), baseline: 5/9, windows: 5/9, "
                "expect: [{window: 2, state: firing}]}"
            ),
            "expect[0].window: must be at most 1, the windows fed, got 2",
        ),
        (
            file_of(
                "{series: rate_change(refused), baseline: 5/9, windows: 5/9, "
                "expect: [{window: 1, state: fireing}]}"
            ),
            "did you mean 'firing'?",
        ),
        (
            file_of(
                "{series: rate_change(refused), baseline: 5/9, windows: 5/9, "
                "expect: [{window: 1}]}"
            ),
            "expect[0]: must expect something",
        ),
        (
            file_of("{series: rate_change(refused), expect: []}"),
            "must have baseline and windows for one series at least",
        ),
        (
            file_of(
                "{series: rate_change(refused), baseline: 5/9, windows: 5/9}",
                "{series: missing_rate(refused), baseline: 0/9, windows: 0/9}",
            ),
            "a.test.yaml:6:10: tests[0].series[1].series: missing_rate(refused) reads the table "
            "'refused', which rate_change(refused) writes in this test",
        ),
        (
            file_of(
                "{series: rate_change(refused), baseline: 5/9, windows: 5/9}",
                "{series: distribution_shift(income), baseline: 5|3, windows: 5|4}",
            ),
            "must have as many outputs in window 1 as rate_change(refused), 9, got 8",
        ),
        (
            file_of(
                "{series: rate_change(refused), baseline: 5/9, windows: 5/9}",
                "{series: distribution_shift(income)}",
            ),
            "no series of this test writes the table 'income'",
        ),
        (
            file_of("{series: rate_change(refused), slice: plan=a, baseline: 5/9, windows: 5/9}"),
            "the baseline of 'plan=a' must have 1000 outputs (baseline.min_slice_rows), got 9",
        ),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_place(
    folder: Path, capsys, text: str, message: str
) -> None:
    (folder / "a.test.yaml").write_text(text)

    status = run_command_line(["test", "a.test.yaml"])

    told = capsys.readouterr().err
    assert status == 1
    assert message in told


def test_a_mistake_of_the_configuration_is_told_with_its_own_place(folder: Path, capsys) -> None:
    (folder / "audit.yaml").write_text(CONFIGURATION.replace("tumbling", "tumbeling"))
    (folder / "a.test.yaml").write_text(HEAD)

    status = run_command_line(["test", "a.test.yaml"])

    assert status == 1
    assert "audit.yaml:11:11: windows.type" in capsys.readouterr().err


SEVERITY = """
severity: built-in
tests:
  - name: {name}
    inputs: {inputs}
    expect: {expect}
"""


def test_a_severity_policy_is_told_what_it_does_not_do_with_the_place_and_its_reasons(
    folder: Path, capsys
) -> None:
    inputs = "{failure_mode: safety, facts: [guardrail_missing]}"
    expect = "{suggested: SEV1, could_be: SEV1, unknowns: [], reasons: [vulnerable], held: true}"
    text = SEVERITY.format(name="a guardrail is missing", inputs=inputs, expect=expect)
    (folder / "a.test.yaml").write_text(text)

    status = run_command_line(["test", "a.test.yaml"])

    lines = capsys.readouterr().out.splitlines()
    assert status == 1
    assert lines[0] == "FAILED a.test.yaml: a guardrail is missing"
    assert lines[1].startswith(
        "       a.test.yaml:6:5: expected SEV1 suggested, found SEV2: effect: "
    )
    reasons = lines[1].partition("found SEV2: ")[2]
    assert lines[2:4] == [
        "       a.test.yaml:6:5: expected held to be watched, found not held",
        f"       a.test.yaml:6:5: expected a reason with 'vulnerable', found {reasons}",
    ]
    assert "expected nothing unknown, found size of the effect" in lines[4]
    assert lines[5] == "1 test, 1 failed"


def test_a_severity_test_answers_as_json(folder: Path, capsys) -> None:
    text = SEVERITY.format(name="none", inputs="{}", expect="{suggested: SEV4, score: 3}")
    (folder / "a.test.yaml").write_text(text)

    status = run_command_line(["test", "--json", "a.test.yaml"])

    (answer,) = json.loads(capsys.readouterr().out)
    assert status == 0
    assert (answer["ok"], answer["policy"], answer["could_be"]) == (True, "five_axes 1", "SEV1")


def test_every_mistake_of_a_severity_test_is_told_at_once(folder: Path, capsys) -> None:
    text = """
severity: nowhere.yaml
cases: []
tests:
  - inputs: {departure: [2, 1, 3], stake: none}
    expect: {}
  - name: b
    inputs: {impact_ratio: [0.9, 0.8, 0.7]}
    expect: {suggested: SEV5}
    because: x
"""
    (folder / "a.test.yaml").write_text(text)

    status = run_command_line(["test", "a.test.yaml"])

    told = capsys.readouterr().err
    assert status == 1
    for each in (
        "a.test.yaml:2:1: severity: must be a policy file, or 'built-in', got 'nowhere.yaml'",
        "a.test.yaml:3:1: cases: unknown option; there are severity and tests",
        "a.test.yaml:5:5: tests[0].name: must be text that tells the test apart, got null",
        "tests[0].inputs.stake: unknown option; did you mean 'stakes'?",
        "a.test.yaml:6:5: tests[0].expect: must expect something: suggested, could_be, score, "
        "axes, held, reasons or unknowns",
        "a.test.yaml:8:5: tests[1].inputs: impact_ratio must be low, estimate, high in order, "
        "got [0.9, 0.8, 0.7]",
        "a.test.yaml:9:14: tests[1].expect.suggested: must be 'SEV1', 'SEV2', 'SEV3' or 'SEV4'",
        "a.test.yaml:10:5: tests[1].because: unknown option; there are name, inputs, expect",
    ):
        assert each in told

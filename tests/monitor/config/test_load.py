from pathlib import Path

import pytest

from baselines.schema import Role
from monitor.config.decision import DecisionQuestion, DecisionRuleKind, DecisionSettings
from monitor.config.load import load_configuration
from monitor.config.model import Configuration, IncidentSettings
from monitor.config.problems import ConfigurationError
from monitor.decision.budget import FalseAlarmBudget
from monitor.severity.register import Stakes, Vulnerability
from monitor.windows.spec import CountWindows, TumblingWindows

TESTDATA = Path(__file__).parent / "testdata"


@pytest.fixture(scope="module")
def everything() -> Configuration:
    return load_configuration(
        TESTDATA / "everything.good.yaml", environment={"PASSWORD": "hunter2"}
    )


def written(folder: Path, text: str) -> Path:
    path = folder / "monitor.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def smallest(**sections: str) -> str:
    """Return the smallest configuration with some sections put in the place of its own."""
    text = (TESTDATA / "smallest.good.yaml").read_text()
    kept = []
    section = ""
    for line in text.splitlines():
        if not line.startswith(" "):
            section = line.partition(":")[0]
        if section not in sections:
            kept.append(line)
    return "\n".join([*kept, *sections.values()]) + "\n"


def test_the_system_is_declared_in_its_own_words(everything: Configuration) -> None:
    system = everything.system

    assert system.stakes is Stakes.CONSEQUENTIAL
    assert system.vulnerable_users is Vulnerability.EXPECTED
    assert system.protected_attributes == ("sex", "race")
    assert system.shadow


def test_what_is_not_declared_stays_unknown(tmp_path: Path) -> None:
    configuration = load_configuration(written(tmp_path, smallest()))

    assert configuration.system.unknown == ("stakes", "reversibility", "vulnerable_users")


def test_relative_paths_start_from_the_configuration(everything: Configuration) -> None:
    baseline = everything.baseline

    assert everything.source.paths == (str(TESTDATA / "logs/*.jsonl"),)
    assert everything.dead_letters.path == TESTDATA / "dead/letters.jsonl"
    assert baseline.reference.paths == (str(TESTDATA / "history/*.jsonl"), "/logs/old.jsonl")
    assert baseline.directory == Path("/var/lib/outputwatch/baselines")


def test_the_reference_period_is_in_microseconds_of_utc(everything: Configuration) -> None:
    reference = everything.baseline.reference

    assert reference.from_us == 1_767_225_600_000_000
    assert reference.to_us == 1_769_900_400_000_000


def test_windows_and_slices_are_what_was_written(everything: Configuration) -> None:
    assert everything.windows == TumblingWindows(
        seconds=604_800, offset_seconds=345_600, allowed_lateness_seconds=0
    )
    assert everything.slices.by == (("region",), ("sex", "region"))


def test_the_windows_of_incidents_are_what_was_written(everything: Configuration) -> None:
    assert everything.incidents == IncidentSettings(
        group_windows=3, reopen_seconds=0, recover_windows=1, cannot_see_windows=5
    )


def test_an_entry_is_expanded_into_one_detector_a_series(everything: Configuration) -> None:
    series = [entry.series for entry in everything.detectors]

    assert series == [
        "distribution_shift(sex)",
        "distribution_shift(race)",
        "distribution_shift(region)",
        "distribution_shift(income)",
        "distribution_shift(age)",
        "distribution_shift(approved)",
        "selection_rate_gap(approved, sex)",
        "selection_rate_gap(approved, race)",
        "selection_rate_gap(approved, sex*race)",
    ]


def test_an_expanded_detector_knows_where_it_was_written(everything: Configuration) -> None:
    intersection = everything.detectors[-1]

    assert intersection.place.option == "detectors[1].group[2]"
    assert everything.detectors[0].for_windows == 2
    assert intersection.for_windows == 1


def test_a_name_tells_two_rules_on_the_same_columns_apart(tmp_path: Path) -> None:
    text = smallest(
        detectors="detectors:\n"
        "  - {type: distribution_shift, column: income}\n"
        "  - {type: distribution_shift, column: income, tolerance: 0.02, name: at most 2 in 100}"
    )

    configuration = load_configuration(written(tmp_path, text))

    assert [entry.series for entry in configuration.detectors] == [
        "distribution_shift(income)",
        "distribution_shift(income) [at most 2 in 100]",
    ]


def test_what_is_decided_is_what_was_written(everything: Configuration) -> None:
    assert everything.decision == DecisionSettings(
        question=DecisionQuestion.COMPARISON,
        false_alarm_budget=FalseAlarmBudget(incidents=0.5, days=14),
        false_discovery_rate=0.1,
        utc_offset_seconds=3600,
    )


def test_every_series_of_an_entry_has_its_rule(everything: Configuration) -> None:
    by_rule = {
        rule: [entry for entry in everything.detectors if entry.rule is rule]
        for rule in DecisionRuleKind
    }

    assert {e.detector.name for e in by_rule[DecisionRuleKind.THRESHOLD]} == {"distribution_shift"}
    assert {(e.weight, e.critical) for e in by_rule[DecisionRuleKind.THRESHOLD]} == {(1.0, False)}
    assert {(e.weight, e.critical) for e in by_rule[DecisionRuleKind.EVIDENCE]} == {(2.5, True)}


def test_one_false_incident_in_ninety_days_is_accepted_by_default(tmp_path: Path) -> None:
    configuration = load_configuration(written(tmp_path, smallest()))

    assert configuration.decision == DecisionSettings()
    assert str(configuration.decision.false_alarm_budget) == "1 per 90 days"


def test_count_windows_are_chosen_by_their_type(tmp_path: Path) -> None:
    text = smallest(windows="windows: {type: count, rows: 500}")

    configuration = load_configuration(written(tmp_path, text))

    assert configuration.windows == CountWindows(rows=500)


def test_protected_attributes_are_group_columns_of_the_built_in_schema() -> None:
    configuration = load_configuration(TESTDATA / "moe.good.yaml")

    assert configuration.schema["age_band"].role is Role.GROUP


@pytest.mark.parametrize(
    ("url", "loaded"),
    [
        ("sqlite:///state/watch.db", "sqlite:///{folder}/state/watch.db"),
        ("sqlite+pysqlite:///watch.db", "sqlite+pysqlite:///{folder}/watch.db"),
        ("sqlite:////var/watch.db", "sqlite:////var/watch.db"),
        ("sqlite://", "sqlite://"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("postgresql+psycopg://${WHO}@host/watch", "postgresql+psycopg://me@host/watch"),
    ],
)
def test_the_storage_url_is_completed(tmp_path: Path, url: str, loaded: str) -> None:
    path = written(tmp_path, smallest(storage=f'storage: {{url: "{url}"}}'))

    configuration = load_configuration(path, environment={"WHO": "me"})

    assert configuration.storage.url == loaded.format(folder=tmp_path)


def test_without_a_storage_section_a_file_beside_the_configuration_is_used(
    tmp_path: Path,
) -> None:
    configuration = load_configuration(written(tmp_path, smallest()))

    assert configuration.storage.url == f"sqlite:///{tmp_path}/outputwatch.db"


def test_a_variable_is_not_replaced_in_what_a_variable_held(tmp_path: Path) -> None:
    path = written(tmp_path, smallest(storage='storage: {url: "postgresql://${ONE}${TWO}"}'))

    configuration = load_configuration(path, environment={"ONE": "${TWO}", "TWO": "2"})

    assert configuration.storage.url == "postgresql://${TWO}2"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "nowhere.yaml"

    with pytest.raises(ConfigurationError) as caught:
        load_configuration(path)

    assert str(caught.value).startswith(
        f"{path}:1:1: must be a readable text file, got No such file or directory"
    )


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "binary.yaml"
    path.write_bytes(b"version: \xff\n")

    with pytest.raises(ConfigurationError, match="got bytes that are not UTF-8"):
        load_configuration(path)


def test_a_missing_type_is_told_the_types(tmp_path: Path) -> None:
    text = smallest(detectors="detectors:\n  - column: income")

    with pytest.raises(ConfigurationError) as caught:
        load_configuration(written(tmp_path, text))

    (problem,) = caught.value.problems
    assert problem.place.option == "detectors[0].type"
    assert problem.message.startswith("must be given; known are ")
    assert "distribution_shift" in problem.message


def test_a_problem_is_reported_once_however_often_an_entry_expands(tmp_path: Path) -> None:
    text = smallest(
        detectors='detectors:\n  - {type: distribution_shift, column: "*", tolerance: 2}'
    )

    with pytest.raises(ConfigurationError) as caught:
        load_configuration(written(tmp_path, text))

    assert len(caught.value.problems) == 1


def test_the_star_is_no_safety_check(tmp_path: Path) -> None:
    text = smallest(detectors='detectors:\n  - {type: check_trigger_rate, check: "*"}')

    with pytest.raises(ConfigurationError, match="must name the checks, got '\\*'"):
        load_configuration(written(tmp_path, text))


def test_several_checks_are_several_series(tmp_path: Path) -> None:
    checks = "[output/policy/hate, output/policy/harm]"
    text = smallest(detectors=f"detectors:\n  - {{type: check_trigger_rate, check: {checks}}}")

    configuration = load_configuration(written(tmp_path, text))

    assert len({entry.series for entry in configuration.detectors}) == 2

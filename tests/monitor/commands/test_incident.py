import json
import re
from pathlib import Path

import pytest

from baselines.summary import WindowKey
from detectors.base import Estimate, FailureMode, Finding, Verdict
from monitor.cli import run_command_line
from monitor.incidents.breaches import Breach, GroupingRules, Recovery
from monitor.incidents.grouping import apply
from monitor.incidents.observations import SignalIdentity, observation_of
from monitor.incidents.suggestion import Axes, Suggestion, Tier
from monitor.storage import Store

DAY = 86_400_000_000
DATABASE = "monitor.db"
DATABASE_URL = f"sqlite:///{DATABASE}"
CONFIGURATION = Path(__file__).parents[1] / "config/testdata/smallest.good.yaml"


def breach(
    series: str,
    tier: Tier,
    *,
    day: int,
    could_be: Tier = Tier.SEV1,
    inhibited_by: tuple[str, ...] = (),
) -> Breach:
    finding = Finding(
        detector=series.partition("(")[0],
        series=series,
        failure_mode=FailureMode.BIAS if "gap" in series else FailureMode.BEHAVIOURAL,
        verdict=Verdict.BEYOND,
        effect=Estimate(0.62, 0.55, 0.70),
        departure=Estimate(2.1, 1.6, 2.7),
        tolerance=0.8,
        unit="ratio of the lowest to the highest selection rate",
        n_rows=1_000,
        n_affected=412,
        worse_off=("F",),
        sentence=f"{series}: F is selected less often",
        notes=("group X has fewer than 30 outputs",),
    )
    window = WindowKey(day * DAY, (day + 1) * DAY)
    return Breach(
        identity=SignalIdentity(
            system="loans",
            environment="production",
            failure_mode=finding.failure_mode,
            series=series,
            slice="all",
            baseline_id="b",
        ),
        detector=finding.detector,
        observation=observation_of(finding, finding_id="f", window=window),
        suggestion=Suggestion(
            tier=tier,
            could_be=could_be,
            axes=Axes(effect=2, reach=2, stakes=2, reversal=2, people=2),
            reasons=("effect: at least 1.6 times the tolerance",),
            unknowns=("stakes of the use",),
            policy="five_axes 1",
        ),
        onset_us=window.start_us,
        inhibited_by=inhibited_by,
    )


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    url = DATABASE_URL
    gap = breach("gap(hired, sex)", Tier.SEV2, day=20)
    rest = [
        breach("missing_rate(income)", Tier.SEV3, day=0, could_be=Tier.SEV3),
        breach(
            "psi(income)",
            Tier.SEV3,
            day=0,
            could_be=Tier.SEV3,
            inhibited_by=("missing_rate(income)",),
        ),
    ]
    with Store.open(url) as store:
        repository = store.incidents("loans/production")
        for breaches, recoveries in (
            (rest, []),
            ([gap], []),
            ([], [Recovery(gap.identity.fingerprint, WindowKey(21 * DAY, 22 * DAY))]),
        ):
            changes = apply(
                repository.all(),
                breaches,
                recoveries=recoveries,
                rules=GroupingRules(),
                known_us=30 * DAY,
            )
            repository.apply(changes, recorded_us=30 * DAY)
    return url


def test_the_worst_incident_is_listed_first(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run_command_line(["incident", "list", "--database", database])

    lines = capsys.readouterr().out.splitlines()
    assert status == 0
    assert "SEV2 suggested" in lines[2]
    assert "candidate, resolution proposed" in lines[2]
    assert "SEV3 suggested" in lines[3]


def test_the_list_is_json_on_demand(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_command_line(["incident", "list", "--database", database, "--json"])

    first, second = json.loads(capsys.readouterr().out)
    assert (first["number"], first["suggested"], first["failure_mode"]) == (2, "SEV2", "bias")
    assert (second["signals"], second["inhibited"]) == (1, 1)


@pytest.mark.parametrize(("state", "expected"), [("candidate", 2), ("closed", 0)])
def test_the_list_can_be_cut_to_states(
    database: str, capsys: pytest.CaptureFixture[str], state: str, expected: int
) -> None:
    run_command_line(["incident", "list", "--database", database, "--json", "--state", state])

    assert len(json.loads(capsys.readouterr().out)) == expected


def test_one_screen_answers_what_the_person_on_call_asks(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run_command_line(["incident", "show", "--database", database, "2"])

    page = capsys.readouterr().out
    assert status == 0
    for answer in (
        "severity not decided | bias | candidate",
        "severity        SEV2 suggested, could be as high as SEV1",
        "what changed    gap(hired, sex): F is selected less often",
        "2.1 times the tolerance (interval 1.6 to 2.7)",
        "since           1970-01-21T00:00:00Z (estimated)",
        "resolution is proposed, a person decides",
        "worse off: F",
        "harmed: unknown yet",
        "group X has fewer than 30 outputs",
        "score 10 of 15: effect 2, reach 2, stakes 2, reversal 2, people 2 (five_axes 1)",
        "unknown yet     stakes of the use",
        "do first        keep the counts by group",
        "who decides     whether it is an incident: commander (nobody yet) or on_call (nobody",
        "TIMELINE",
        "resolution proposed",
    ):
        assert _spaced_once(answer) in _spaced_once(page)
    assert max(map(len, page.partition("SIGNALS")[0].splitlines())) <= 100


def test_a_tier_that_is_as_high_as_it_could_be_is_told_once(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command_line(["incident", "show", "--database", database, "1"])

    page = capsys.readouterr().out
    assert "severity        SEV3 suggested\n" in page
    assert "could be as high as" not in page


def test_what_broken_input_explains_is_shown_apart(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run_command_line(["incident", "show", "--database", database, "1"])

    page = capsys.readouterr().out
    explained = page.partition("EXPLAINED BY BROKEN INPUT")[2].partition("TIMELINE")[0]
    assert "psi(income)" in explained
    assert "explained by missing_rate(income)" in explained


def test_the_page_is_json_on_demand(database: str, capsys: pytest.CaptureFixture[str]) -> None:
    run_command_line(["incident", "show", "--database", database, "2", "--json"])

    page = json.loads(capsys.readouterr().out)
    assert re.fullmatch("[0-9a-f]{64}", page["id"])
    assert page["axes"]["effect"] == 2
    assert [entry["kind"] for entry in page["timeline"]] == [
        "opened",
        "evidence frozen",
        "signal recovered",
        "resolution proposed",
    ]
    assert page["broken_links"] == []


@pytest.mark.parametrize(
    "order",
    [
        ["--json", "--database", DATABASE_URL, "2"],
        ["--database", DATABASE_URL, "2", "--json"],
        ["2", "--json", "--database", DATABASE_URL],
        ["--json", f"--database={DATABASE_URL}", "--", "2"],
        ["monitor.yaml", "--json", "2"],
        ["monitor.yaml", "2", "--json"],
        ["--json", "monitor.yaml", "2"],
    ],
)
def test_options_may_stand_in_any_place(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], order: list[str]
) -> None:
    text = CONFIGURATION.read_text(encoding="utf-8").replace("loan-scorer", "loans")
    (tmp_path / "monitor.yaml").write_text(f"{text}\nstorage:\n  url: {database}\n", "utf-8")

    status = run_command_line(["incident", "show", *order])

    assert status == 0
    assert json.loads(capsys.readouterr().out)["number"] == 2


@pytest.mark.parametrize("words", [["--database"], ["monitor.yaml", "--nosuch", "2"], ["--json"]])
def test_wrong_usage_of_options_is_still_refused(words: list[str]) -> None:
    assert run_command_line(["incident", "show", *words]) == 2


def test_a_changed_timeline_is_shouted_about(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store.open(database) as store, store.writing() as connection:
        connection.exec_driver_sql("DROP TRIGGER incident_entry_no_update")
        connection.exec_driver_sql("UPDATE incident_entry SET known_us = 0 WHERE seq = 2")

    run_command_line(["incident", "show", "--database", database, "2"])

    assert "WARNING: the timeline was changed" in capsys.readouterr().out


def test_an_unknown_incident_is_one_sentence(
    database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = run_command_line(["incident", "show", "--database", database, "777"])

    assert status == 1
    assert "no incident has an id that begins with '777'" in capsys.readouterr().err


def test_asking_creates_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "none.db"

    status = run_command_line(["incident", "list", "--database", f"sqlite:///{path}"])

    assert status == 1
    assert "there is no database" in capsys.readouterr().err
    assert not path.exists()


@pytest.mark.parametrize(("system", "expected"), [("loans", 2), ("another", 0)])
def test_a_configuration_names_the_database_and_its_own_incidents(
    database: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    system: str,
    expected: int,
) -> None:
    text = CONFIGURATION.read_text(encoding="utf-8").replace("loan-scorer", system)
    path = tmp_path / "monitor.yaml"
    path.write_text(f"{text}\nstorage:\n  url: sqlite:///{DATABASE}\n", encoding="utf-8")

    status = run_command_line(["incident", "list", str(path), "--json"])

    assert status == 0
    assert len(json.loads(capsys.readouterr().out)) == expected


@pytest.mark.parametrize("place", [[], ["monitor.yaml", "--database", "sqlite://"]])
def test_one_place_must_be_named(place: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    status = run_command_line(["incident", "list", *place])

    assert status == 2
    assert "usage:" in capsys.readouterr().err


def _spaced_once(text: str) -> str:
    return " ".join(text.split())

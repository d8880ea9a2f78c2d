"""What holds for every scenario: it raises what it plants, and a script brings it to its end."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from detectors.base import FailureMode
from monitor.clock import FixedClock
from monitor.config.load import load_configuration
from monitor.drills.measuring import Milestone, Standing, milestones
from monitor.drills.planting import Drill
from monitor.drills.playing import BEGIN_US, Played, play
from monitor.drills.scenario import RESERVED, ScenarioError, scenario, shipped
from monitor.drills.telling import played_record, played_text, told_instead
from monitor.incidents.drafts.draft import DRILL_BANNER
from monitor.incidents.postmortem.items import ItemKind, action_items
from monitor.incidents.postmortem.sections import SECTIONS
from monitor.incidents.states import IncidentState
from monitor.incidents.suggestion import Tier
from monitor.incidents.timeline import EntryKind, broken_links

NAMES = tuple(shipped())


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Played]:
    known: dict[str, Played] = {}

    def once(name: str) -> Played:
        if name not in known:
            known[name] = play(name, tmp_path_factory.mktemp(name) / "drill")
        return known[name]

    return once


def test_every_failure_mode_can_be_practised() -> None:
    assert {each.failure_mode for each in shipped().values()} == set(FailureMode)
    assert not set(shipped()) & set(RESERVED)


@pytest.mark.parametrize("name", NAMES)
def test_the_breach_raises_one_incident_of_its_kind_marked_as_practice(played, name) -> None:
    made, incident = shipped()[name], played(name).incident

    assert incident.drill
    assert incident.failure_mode is made.failure_mode
    assert incident.suggestion.tier.rank <= made.at_least.rank
    assert made.series in {each.identity.series for each in incident.own_signals}
    assert incident.number == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_script_brings_it_from_the_alarm_to_a_post_mortem_that_lacks_nothing(
    played, name
) -> None:
    result = played(name)
    kinds = [each.entry.kind for each in result.timeline]

    assert result.incident.state is IncidentState.IN_REVIEW
    assert result.response.missing == ()
    assert broken_links(result.timeline) == ()
    for earlier, later in (
        (EntryKind.EVIDENCE_FROZEN, EntryKind.ROLLBACK_APPLIED),
        (EntryKind.EVIDENCE_OPENED, EntryKind.SEVERITY_DECIDED),
        (EntryKind.ROLLBACK_APPROVED, EntryKind.ROLLBACK_APPLIED),
        (EntryKind.ROLLBACK_VERIFIED, EntryKind.CONTAINED),
        (EntryKind.RESOLUTION_PROPOSED, EntryKind.RESOLVED),
    ):
        assert kinds.index(earlier) < kinds.index(later)


@pytest.mark.parametrize("name", NAMES)
def test_drafts_are_refused_while_something_is_unknown_and_say_that_they_are_practice(
    played, name
) -> None:
    result = played(name)
    refused = [step.what for step in result.response.steps if step.refused]

    assert {"staff", "affected", "customers"} <= set(result.response.drafts)
    assert any("must be known before 'affected'" in what for what in refused)
    assert any("second person" in what or "approval" in what for what in refused)
    for draft in result.response.drafts.values():
        assert draft.text.startswith(DRILL_BANNER)
    assert DRILL_BANNER in result.response.post_mortem


@pytest.mark.parametrize("name", NAMES)
def test_a_letter_to_people_blames_nobody_and_claims_no_more_than_is_known(played, name) -> None:
    letter = played(name).response.drafts["affected"].text.lower()

    for word in ("mistake", "fault", "human error", "nobody was harmed", "guarantee", "impacted"):
        assert word not in letter
    assert "[unknown yet" not in letter
    assert "made up" not in letter


@pytest.mark.parametrize("name", NAMES)
def test_every_time_is_reached_and_in_time(played, name) -> None:
    result = played(name)
    reached = {each.milestone: each for each in milestones(result.incident, result.timeline)}

    assert set(reached) == set(Milestone)
    for each in reached.values():
        assert each.standing in {Standing.IN_TIME, Standing.NO_TARGET}


@pytest.mark.parametrize("name", NAMES)
def test_the_script_is_whole(played, name) -> None:
    made = shipped()[name]
    series = {each.series for each in played(name).drill.configuration.detectors}

    assert set(made.script.sections) == set(SECTIONS)
    assert {each.series for each in made.script.items} <= series
    kinds = {each.kind for each in action_items(played(name).timeline)}
    assert kinds & {ItemKind.PREVENT, ItemKind.DETECT}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_told_says_that_it_is_a_drill_played_by_a_script(played, name) -> None:
    result = played(name)
    text, record = played_text(result), played_record(result)

    assert text.startswith("DRILL")
    assert "A script responds; the persons are made up." in text
    assert json.loads(json.dumps(record))["scripted"] is True
    told = told_instead(result.drill.place.notices)
    assert all(line.startswith("DRILL ") for lines in told.values() for line in lines)
    assert told


def test_two_scripted_drills_are_alike(played, tmp_path) -> None:
    first = played("refusal-gap")

    second = play("refusal-gap", tmp_path / "again")

    assert second.incident.id == first.incident.id
    # The folder is told in the dry run, so the texts are compared and not their hashes.
    assert [step.at_us for step in second.response.steps] == [
        step.at_us for step in first.response.steps
    ]
    assert second.response.drafts["affected"].text == first.response.drafts["affected"].text


def test_the_configuration_of_a_drill_is_a_valid_one_with_a_database_of_its_own(played) -> None:
    place = played("dead-filter").drill.place

    configuration = load_configuration(place.configuration_path)

    assert configuration.incidents.drill
    assert str(place.folder) in configuration.storage.url
    assert [each.drill for each in configuration.notifiers.channels] == [True]
    assert configuration.rollbacks == (place.plan(shipped()["dead-filter"]),)


def test_a_scenario_of_ones_own_is_one_file(tmp_path) -> None:
    from importlib.resources import files

    text = (files("monitor.drills") / "scenarios" / "refusal-gap.yaml").read_text("utf-8")
    own = tmp_path / "ours.yaml"
    own.write_text(text.replace("name: refusal-gap", "name: ours"), "utf-8")

    drill = Drill.begun(str(own), tmp_path / "drill", clock=_clock())

    assert drill.made.name == "ours"
    assert Drill.opened(tmp_path / "drill", _clock()).made == drill.made


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("name: refusal-gap", "name: other"), "must hold the name of its file"),
        (("at_least: SEV3", "at_least: SEV9"), "no valid scenario"),
        (("  detectors:", "  surprises:"), "must configure system, schema and detectors"),
    ],
)
def test_a_wrong_file_is_refused_with_its_name(tmp_path, change, message) -> None:
    from importlib.resources import files

    text = (files("monitor.drills") / "scenarios" / "refusal-gap.yaml").read_text("utf-8")
    own = tmp_path / "refusal-gap.yaml"
    own.write_text(text.replace(*change), "utf-8")

    with pytest.raises(ScenarioError, match=message):
        scenario(str(own))
    with pytest.raises(ScenarioError, match="must be one of"):
        scenario("nonsense")


def test_the_mildest_tier_of_safety_is_a_grave_one() -> None:
    grave = [each for each in shipped().values() if each.failure_mode is FailureMode.SAFETY]

    assert all(each.at_least.rank <= Tier.SEV2.rank for each in grave)


def _clock() -> FixedClock:
    return FixedClock(BEGIN_US)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    from monitor.drills.place import DrillError

    (tmp_path / "mine").write_text("mine")

    with pytest.raises(DrillError, match="empty folder"):
        play("refusal-gap", tmp_path)
    with pytest.raises(DrillError, match="no drill"):
        Drill.opened(tmp_path, _clock())
    assert (tmp_path / "mine").read_text() == "mine"

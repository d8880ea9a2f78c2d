"""What holds for every rollback adapter and every serving probe."""

import dataclasses
import inspect
from pathlib import Path

import pytest

from monitor.config.components import read_component
from monitor.config.document import parse_document
from monitor.config.forms import Reader, form_of
from monitor.rollbacks.adapter import registered_adapters, registered_probes
from monitor.rollbacks.plans import PlanOptions, RollbackPlan
from monitor.rollbacks.rehearsal import ready_gauge, rehearse
from tests.monitor.rollbacks.planes import Plane, plan_for

COMPONENTS = {**registered_adapters(), **{f"probe {k}": v for k, v in registered_probes().items()}}
CONFIGS = Path(__file__).parents[3] / "configs"


def test_the_five_adapters_and_two_probes_are_found() -> None:
    assert list(registered_adapters()) == [
        "command",
        "flag_file",
        "git_path",
        "mlflow_alias",
        "webhook",
    ]
    assert list(registered_probes()) == ["command", "http"]


@pytest.mark.parametrize("name", COMPONENTS)
def test_options_are_described_and_can_be_read_from_a_configuration(name: str) -> None:
    cls = COMPONENTS[name]

    form = form_of(cls)

    assert cls.__dataclass_params__.frozen
    for option in dataclasses.fields(cls):
        assert f"\n{option.name}\n" in inspect.getdoc(cls)
        assert form.model_fields[option.name].description
    assert "timeout_seconds" in form.model_fields


@pytest.mark.parametrize("name", COMPONENTS)
def test_no_option_holds_a_secret_itself(name: str) -> None:
    named = [option.name for option in dataclasses.fields(COMPONENTS[name])]

    assert not [each for each in named if each in ("password", "token", "secret", "key")]


def read_plans(text: str) -> tuple[list[RollbackPlan], list[str]]:
    """Read the section `rollbacks` as a configuration would."""
    reader = Reader(parse_document(text, "m.yaml"))
    plans = []
    for number, section in enumerate(reader.document.data["rollbacks"]):
        place = ("rollbacks", number)
        adapter = read_component(
            reader, section["adapter"], (*place, "adapter"), registered_adapters()
        )
        probe = read_component(reader, section["probe"], (*place, "probe"), registered_probes())
        rest = {k: v for k, v in section.items() if k not in ("adapter", "probe")}
        options = reader.read(PlanOptions, rest, place, besides=("adapter", "probe"))
        if adapter and probe and options:
            plans.append(RollbackPlan(options=options, adapter=adapter, probe=probe))
    return plans, [str(problem) for problem in reader.problems]


def test_the_example_holds_a_plan_for_every_adapter() -> None:
    plans, problems = read_plans((CONFIGS / "rollbacks" / "plans.yaml").read_text())

    assert problems == []
    assert sorted(plan.adapter.name for plan in plans) == list(registered_adapters())
    assert len({plan.digest for plan in plans}) == len(plans)


def test_what_is_wrong_in_a_plan_is_said_with_its_place() -> None:
    text = """
rollbacks:
  - name: back
    kind: modell
    target: t
    owner: mo
    releases: [{reference: "v7; id"}]
    adapter: {type: flag_file, path: flags.json, flag: f}
    probe: {type: http, url: "http://x/"}
"""

    _, problems = read_plans(text)

    assert any("path must be an absolute path" in each for each in problems)
    assert any("header or a json_field" in each for each in problems)
    assert any("kind" in each for each in problems)
    assert any("releases" in each and "letter or digit" in each for each in problems)


def test_a_rehearsal_says_whether_a_plan_would_work_and_changes_nothing(plane: Plane) -> None:
    rehearsal = rehearse(plan_for(plane))

    assert (rehearsal.ready, rehearsal.reasons) == (True, ())
    assert "v8 -> v7" in rehearsal.text
    assert ready_gauge([rehearsal]) == {"scorer back": 1}
    assert plane.n_applied == 0


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("unreadable", "the plane is away"),
        ("v7", "there is nothing to go back to"),
        ("v6", "must have a release before"),
    ],
)
def test_a_rehearsal_says_what_stands_in_the_way(plane: Plane, value: str, reason: str) -> None:
    plane.write("plane", value)

    rehearsal = rehearse(plan_for(plane, to="v7" if value == "v7" else "previous"))

    assert not rehearsal.ready
    assert reason in " ".join(rehearsal.reasons)
    assert ready_gauge([rehearsal]) == {"scorer back": 0}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"to": "v9"}, "must be 'previous' or one of the releases"),
        ({"cache_seconds": 600}, "max_minutes must leave 606 seconds"),
    ],
)
def test_plans_that_cannot_work_are_refused(
    plane: Plane, options: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        plan_for(plane, **options)

from pathlib import Path

import pytest

from monitor.config.load import load_configuration
from monitor.rollbacks.adapter import registered_adapters
from monitor.rollbacks.plans import Evidence, PlanKind

TESTDATA = Path(__file__).parent / "testdata"
EXAMPLE = Path(__file__).parents[3] / "configs" / "rollbacks" / "plans.yaml"
SMALLEST = (TESTDATA / "smallest.good.yaml").read_text()


def test_a_plan_in_the_document_and_one_in_a_file_are_the_same() -> None:
    inline = load_configuration(TESTDATA / "rollbacks.good.yaml").rollbacks
    shared = load_configuration(TESTDATA / "rollbacks_in_a_file.good.yaml").rollbacks

    assert inline == shared
    assert inline[0].options.kind is PlanKind.MODEL
    assert inline[0].options.releases[0].evidence is Evidence.PASSING
    assert inline[0].adapter.name == "flag_file"


def test_without_the_section_nothing_can_be_switched() -> None:
    assert load_configuration(TESTDATA / "smallest.good.yaml").rollbacks == ()


@pytest.mark.parametrize("how", ["named", "copied"])
def test_the_plans_to_copy_are_a_section_of_a_configuration(tmp_path: Path, how: str) -> None:
    section = f"rollbacks: {EXAMPLE}\n" if how == "named" else EXAMPLE.read_text()
    path = tmp_path / "monitor.yaml"
    path.write_text(f"{SMALLEST}\n{section}")

    plans = load_configuration(path).rollbacks

    assert sorted(plan.adapter.name for plan in plans) == list(registered_adapters())

"""The demo's configurations are valid, and cover what is planted."""

from pathlib import Path

import pytest

from monitor.config.load import load_configuration
from monitor.demo.configurations import write_configurations
from monitor.demo.scenario import BASELINE_DAYS, PLANTED, Planted, at

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("system", ["loan-scorer", "support-assistant"])
def test_a_configuration_is_valid_and_fits_on_the_baseline_period(
    system: str, tmp_path: Path
) -> None:
    path = write_configurations(tmp_path)[system]

    configuration = load_configuration(path)

    assert configuration.system.name == system
    assert configuration.baseline.reference.to_us == at(BASELINE_DAYS + 1)
    assert configuration.source.paths == (str(tmp_path / system / "events" / "*.jsonl.gz"),)


@pytest.mark.parametrize("system", ["loan-scorer", "support-assistant"])
def test_the_examples_among_the_configurations_are_the_same_files(system: str) -> None:
    example = ROOT / "configs" / "demo" / f"{system}.yaml"

    assert example.resolve() == (ROOT / "monitor" / "demo" / f"{system}.yaml").resolve()


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.key)
def test_the_cause_of_each_planted_incident_is_watched(tmp_path: Path, planted: Planted) -> None:
    configuration = load_configuration(write_configurations(tmp_path)[planted.system])

    series = [entry.series for entry in configuration.detectors]

    assert any(planted.columns[0] in each for each in series)

"""Good configurations load; each bad one is answered word for word by what lies beside it."""

from pathlib import Path

import pytest

from monitor.config.load import load_configuration
from monitor.config.problems import ConfigurationError

TESTDATA = Path(__file__).parent / "testdata"
BAD = sorted(TESTDATA.glob("*.bad.yaml"))
GOOD = sorted(TESTDATA.glob("*.good.yaml"))
ENVIRONMENT = {"PASSWORD": "hunter2"}


def name(path: Path) -> str:
    return path.name.partition(".")[0]


@pytest.mark.parametrize("path", BAD, ids=name)
def test_a_bad_configuration_names_every_mistake(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = path.with_suffix(".expected").read_text(encoding="utf-8")
    monkeypatch.chdir(TESTDATA)

    with pytest.raises(ConfigurationError) as caught:
        load_configuration(path.name, environment=ENVIRONMENT)

    assert f"{caught.value}\n" == expected


@pytest.mark.parametrize("path", BAD, ids=name)
def test_a_secret_is_in_no_message(path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_configuration(path, environment=ENVIRONMENT)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("path", GOOD, ids=name)
def test_a_good_configuration_loads(path: Path) -> None:
    configuration = load_configuration(path, environment=ENVIRONMENT)

    assert configuration.path == path
    assert configuration.detectors
    assert "hunter2" not in repr(configuration)


def test_every_expectation_belongs_to_a_configuration() -> None:
    expectations = {path.with_suffix(".yaml") for path in TESTDATA.glob("*.bad.expected")}

    assert expectations == set(BAD)
    assert len(BAD) >= 25

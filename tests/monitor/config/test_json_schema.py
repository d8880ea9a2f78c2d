from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from detectors.registry import registered_detectors
from monitor.config.document import parse_document
from monitor.config.json_schema import configuration_schema
from monitor.sources.base import registered_sources

ROOT = Path(__file__).parents[3]
TESTDATA = Path(__file__).parent / "testdata"
EXAMPLES = [*ROOT.glob("configs/*.yaml"), *ROOT.glob("configs/demo/*.yaml")]
VALID = sorted([*EXAMPLES, *TESTDATA.glob("*.good.yaml")])
# What only several options together show to be wrong is beyond a JSON Schema.
BAD_IN_ONE_OPTION = (
    "a_list",
    "baseline",
    "count_windows_with_seconds",
    "decision",
    "detector_option_said_once",
    "detector_type",
    "detectors_is_a_mapping",
    "empty",
    "future_version",
    "incidents_and_dead_letters",
    "missing_sections",
    "no_detectors",
    "rollbacks",
    "rollbacks_is_a_number",
    "schema_is_a_number",
    "schema_name",
    "schema_without_columns",
    "slices",
    "source_options",
    "source_type",
    "storage_type_is_secret",
    "system",
    "system_is_text",
    "two_mistakes_of_the_style_guide",
    "unknown_section",
    "window_type",
    "windows",
    "yaml_1_1_words",
)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return configuration_schema()


def data_of(path: Path) -> object:
    return parse_document(path.read_text(encoding="utf-8"), path.name).data


def test_it_is_itself_a_valid_schema(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_a_valid_configuration_fulfils_it(schema: dict[str, Any], path: Path) -> None:
    validator = jsonschema.Draft202012Validator(schema)

    errors = [error.message for error in validator.iter_errors(data_of(path))]

    assert errors == []


@pytest.mark.parametrize("name", BAD_IN_ONE_OPTION)
def test_a_mistake_within_one_option_fails_it(schema: dict[str, Any], name: str) -> None:
    validator = jsonschema.Draft202012Validator(schema)

    assert not validator.is_valid(data_of(TESTDATA / f"{name}.bad.yaml"))


def test_every_detector_and_source_is_in_it_with_its_options(schema: dict[str, Any]) -> None:
    entries = schema["properties"]["detectors"]["items"]["anyOf"]
    sources = schema["properties"]["source"]["anyOf"]

    assert {entry["properties"]["type"]["const"] for entry in entries} == set(
        registered_detectors()
    )
    assert {entry["properties"]["type"]["const"] for entry in sources} == set(registered_sources())
    assert all("confidence" in entry["properties"] for entry in entries)


def test_options_are_described(schema: dict[str, Any]) -> None:
    reference = schema["properties"]["baseline"]["properties"]["max_bins"]

    assert reference["description"] == "Bins of a numeric column at full resolution."
    assert reference["default"] == 256


@pytest.mark.parametrize("path", VALID, ids=lambda path: path.name)
def test_other_readers_of_yaml_read_the_same(path: Path) -> None:
    usual = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)

    def as_text(value: object) -> object:
        """Return the value with its scalars as text, which is how BaseLoader reads them."""
        if isinstance(value, dict):
            return {key: as_text(each) for key, each in value.items()}
        if isinstance(value, list):
            return [as_text(each) for each in value]
        return str(value).lower() if isinstance(value, bool) else str(value)

    assert as_text(data_of(path)) == usual

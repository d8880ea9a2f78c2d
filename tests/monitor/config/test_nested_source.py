"""A source within a source is checked like one that stands alone."""

from pathlib import Path

import pytest

from monitor.config.load import load_configuration
from monitor.config.problems import ConfigurationError

TEXT = """
version: 1
system: {name: nested}
source:
  type: labelled
  outputs: OUTPUTS
  labels: {type: files, paths: [labels.jsonl]}
  label_time: at
  columns: [repaid]
  horizon_seconds: 60
schema:
  columns:
    - {name: time, role: timestamp}
    - {name: id, role: event_id}
    - {name: repaid, role: label}
windows: {type: tumbling, seconds: 60}
detectors: [{type: missing_rate, column: repaid}]
"""


def problems(folder: Path, outputs: str) -> str:
    (folder / "c.yaml").write_text(TEXT.replace("OUTPUTS", outputs))
    with pytest.raises(ConfigurationError) as raised:
        load_configuration(folder / "c.yaml", environment={})
    return str(raised.value)


def test_a_mistake_in_a_nested_source_is_named_where_it_stands(tmp_path: Path) -> None:
    found = problems(tmp_path, "{type: files, pathz: [a.jsonl]}")

    assert "source.outputs.pathz: unknown option; did you mean 'paths'?" in found


def test_an_unknown_type_of_a_nested_source_is_named(tmp_path: Path) -> None:
    assert "source.outputs.type: unknown type 'filez'" in problems(tmp_path, "{type: filez}")


def test_a_join_within_a_join_is_refused(tmp_path: Path) -> None:
    inner = (
        "{type: labelled, outputs: {type: stdin}, labels: {type: stdin}, label_time: at, "
        "columns: [x], horizon_seconds: 1}"
    )

    assert "outputs must be a source that can be followed" in problems(tmp_path, inner)


def test_secrets_of_a_nested_source_are_filled_in_from_the_environment(tmp_path: Path) -> None:
    outputs = '{type: http, token: "${TOKEN}"}'
    (tmp_path / "c.yaml").write_text(TEXT.replace("OUTPUTS", outputs))

    loaded = load_configuration(tmp_path / "c.yaml", environment={"TOKEN": "hidden"})

    assert loaded.source.outputs.token == "hidden"
    assert "hidden" not in repr(loaded.source)
    assert "'TOKEN' must be set" in problems(tmp_path, outputs)

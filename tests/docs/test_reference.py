"""The reference is what the code says, and nothing is left out of it."""

import dataclasses
import doctest
import json
from collections.abc import Mapping

import pytest

from baselines.schema import Role
from docs.generate import PAGES, main, outdated, page_text
from docs.generator import blocks, markdown
from docs.generator.command_line import commands
from docs.generator.detectors import own_detectors
from docs.generator.events import EXAMPLE
from monitor.cli import command_parser
from monitor.config.json_schema import configuration_schema
from monitor.decoding.base import RejectionReason, Remark
from monitor.features.registry import text_features
from monitor.storage.tables import metadata

COMMANDS = [command for command, _ in commands(command_parser())]


def test_the_generated_pages_are_up_to_date() -> None:
    assert outdated() == (), "run 'make docs'"
    assert main(["--check"]) == 0


def test_the_examples_of_the_generator_are_right() -> None:
    results = [doctest.testmod(module) for module in (blocks, markdown)]

    assert all(result.attempted and not result.failed for result in results)


def test_an_outdated_page_is_noticed(tmp_path) -> None:
    for name in PAGES:
        (tmp_path / name).write_text(page_text(name), encoding="utf-8")
    (tmp_path / "cli.md").write_text("old", encoding="utf-8")

    assert outdated(tmp_path) == ("cli.md",)


@pytest.mark.parametrize("command", COMMANDS, ids=[command.prog for command in COMMANDS])
def test_every_command_and_each_of_its_options_is_on_the_page(command) -> None:
    part = page_text("cli.md").partition(f"\n## {command.prog}\n")[2].partition("\n## ")[0]

    options = [option for action in command._actions for option in action.option_strings]

    missing = [o for o in options if o not in ("-h", "--help") and f"`{o}" not in part]
    assert missing == []
    assert "--json" in options, "every command answers programs too"


@pytest.mark.parametrize("name", sorted(own_detectors()))
def test_every_detector_and_each_of_its_options_is_on_the_page(name) -> None:
    page = page_text("detectors.md")
    common = page.partition("\n## ")[0]
    part = page.partition(f"\n## {name}\n")[2].partition("\n## ")[0]

    options = [option.name for option in dataclasses.fields(own_detectors()[name])]

    assert part
    assert [o for o in options if f"| `{o}` |" not in part and f"| `{o}` |" not in common] == []


def test_every_option_has_a_meaning() -> None:
    rows = [
        line
        for name in ("configuration.md", "detectors.md", "cli.md")
        for line in page_text(name).splitlines()
        if line.startswith("| `") and line.endswith("|  |")
    ]

    assert rows == []


def test_every_section_of_the_configuration_is_on_the_page() -> None:
    page = page_text("configuration.md")

    for section, schema in configuration_schema()["properties"].items():
        assert section == "version" or f"\n## {section}\n" in page
        for option in _options(schema):
            assert f"`{option}`" in page, f"{section}.{option}"


def _options(schema: Mapping[str, object]) -> set[str]:
    variants = [schema, *schema.get("anyOf", [])]
    return {name for each in variants for name in each.get("properties", {})}


def test_every_role_feature_reason_and_remark_is_explained() -> None:
    configuration, rejections = page_text("configuration.md"), page_text("rejection-reasons.md")

    for word in (*Role, *text_features()):
        assert f"| `{word}` |" in configuration
    for word in (*RejectionReason, *Remark):
        assert f"| `{word}` |" in rejections


def test_every_table_of_the_database_is_described(repository) -> None:
    page = (repository / "docs/reference/formats.md").read_text(encoding="utf-8")

    assert [name for name in metadata.tables if f"| `{name}` |" not in page] == []


def test_the_example_event_gives_a_row(tmp_path) -> None:
    from monitor.adapters.moe import moe_schema
    from monitor.decoding.base import Needs
    from monitor.sources.files import Files

    path = tmp_path / "events.jsonl"
    path.write_text(json.dumps(json.loads(EXAMPLE)) + "\n", encoding="utf-8")
    source = Files(paths=(str(path),))

    (unit,) = source.units()
    decoded = list(source.read(unit, moe_schema(groups=["age_band"]), Needs()))

    assert sum(block.columns.n_rows for block in decoded) == 1
    assert sum(block.n_rejected for block in decoded) == 0
    assert "check:output/moderation/violence" in decoded[0].columns.fields

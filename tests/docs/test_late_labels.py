"""The configurations on the page about labels that come late."""

import json
import random
from pathlib import Path

from monitor.__main__ import main
from monitor.config.load import load_configuration
from monitor.sources.files import Files
from monitor.sources.labelled import Labelled


def write(path: Path, records: list[dict[str, object]]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records))


def decided(seed: int, first: int, n: int, right: float) -> list[dict[str, object]]:
    """Return decisions with their labels; `right` is how often a decision was right."""
    chance = random.Random(seed)
    made = []
    for number in range(n):
        approved = chance.random() < 0.5
        made.append(
            {
                "id": f"{seed}-{number}",
                "time": first + number * 300,
                "labelled_at": first + number * 300 + 40 * 86_400,
                "sex": chance.choice("FM"),
                "approved": approved,
                "repaid": approved if chance.random() < right else not approved,
            }
        )
    return made


def test_a_log_of_labels_is_a_monitor_of_its_own(run_page, repository, capsys) -> None:
    run_page(repository / "docs/how-to/labels-that-come-late.md")
    write(Path("reference.jsonl"), decided(1, 1_788_220_800, 4_000, 0.9))
    write(Path("labels/2026.jsonl"), decided(2, 1_792_220_800, 3_000, 0.6))
    main(["baseline", "fit", "labels.yaml", "--promote", "--who", "Ada", "--why", "a test"])
    capsys.readouterr()

    status = main(["audit", "labels.yaml"])

    assert status == 3
    assert "accuracy of approved" in capsys.readouterr().out


def test_the_join_of_the_page_can_be_configured(run_page, repository) -> None:
    run_page(repository / "docs/how-to/labels-that-come-late.md")

    source = load_configuration("joined.yaml").source

    assert isinstance(source, Labelled)
    assert isinstance(source.outputs, Files)
    assert source.outputs.paths == (str(Path.cwd() / "outputs/*.jsonl"),)
    assert main(["check", "joined.yaml"]) == 0

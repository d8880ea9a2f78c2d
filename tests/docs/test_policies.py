"""The pages about trying a policy out show what happens."""

import pytest

from monitor.decision.state import State
from monitor.policy_tests.notation import read_windows


@pytest.mark.parametrize("page", ["test-your-policy", "backtest-a-policy"])
def test_a_policy_is_tried_out_as_shown(run_page, repository, page: str) -> None:
    run_page(repository / f"docs/how-to/{page}.md")


def test_every_window_in_the_table_of_the_notation_can_be_read(repository) -> None:
    text = (repository / "docs/how-to/test-your-policy.md").read_text()
    table = text.split("## The notation")[1].split("## What a file holds")[0]
    rows = [line for line in table.splitlines() if line.startswith("| `") or "| every" in line]

    shown = [
        cell for row in rows for cell in row.replace("\\|", "¦").split("|")[2].split("`")[1::2]
    ]

    assert len(shown) >= 9
    for cell in shown:
        assert read_windows(cell.replace("¦", "|"))[0].parts


def test_every_state_is_named(repository) -> None:
    text = (repository / "docs/how-to/test-your-policy.md").read_text()

    assert all(f"`{state.value}`" in text for state in State)

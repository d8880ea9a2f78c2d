"""Numbers that the explanations state are recomputed."""

import re

import numpy as np
import pytest
from scipy import special

from monitor.severity.inputs import SeverityInputs
from monitor.severity.scoring import FiveAxes, tier_of_score


def binomial(rows: int, rate: float) -> np.ndarray:
    counts = np.arange(rows + 1)
    log_choose = special.gammaln(rows + 1) - special.gammaln(counts + 1)
    log_choose -= special.gammaln(rows - counts + 1)
    return np.exp(log_choose + counts * np.log(rate) + (rows - counts) * np.log1p(-rate))


def false_four_fifths(rows: int, rate: float, n_groups: int = 2) -> float:
    """Return how often equal groups have a ratio of lowest to highest rate below 0.8."""
    mass = binomial(rows, rate)
    tail = np.append(np.cumsum(mass[::-1])[::-1], 0.0)
    fine = 0.0
    for lowest in range(rows + 1):
        # Exact in integers: counts of at most lowest / 0.8 are within four fifths.
        bound = min(lowest * 5 // 4, rows)
        fine += (tail[lowest] - tail[bound + 1]) ** n_groups
        fine -= (tail[lowest + 1] - tail[max(bound, lowest) + 1]) ** n_groups
    return 1 - fine


def page(repository, name: str) -> str:
    return (repository / "docs" / "explanation" / name).read_text(encoding="utf-8")


def test_the_table_of_false_four_fifths_alarms_is_right(repository) -> None:
    text = page(repository, "fairness.md")
    heading = re.search(r"\| rows in each group \| rate (\d+) % \|(.*)\|", text)
    rates = [int(heading[1]), *(int(n) for n in re.findall(r"(\d+) %", heading[2]))]
    rows = re.findall(r"^\| (\d+) \| (.+) \|$", text, re.MULTILINE)

    assert len(rows) == 6
    for n_rows, cells in rows:
        for rate, cell in zip(rates, cells.split(" | "), strict=True):
            chance = 100 * false_four_fifths(int(n_rows), rate / 100)
            if cell == "under 1 %":
                assert chance < 1
            else:
                assert int(cell.removesuffix(" %")) == pytest.approx(chance, abs=0.55), cell


def test_what_is_said_of_many_groups_is_right(repository) -> None:
    text = " ".join(page(repository, "fairness.md").split())

    assert "five equal groups violate it in 58 % of windows, twelve in 95 %" in text
    assert false_four_fifths(200, 0.3, 5) == pytest.approx(0.58, abs=0.005)
    assert false_four_fifths(200, 0.3, 12) == pytest.approx(0.95, abs=0.005)


def test_the_intervals_page_says_the_same_of_groups_of_fifty(repository) -> None:
    assert "in 46 of 100 windows" in " ".join(
        page(repository, "intervals-and-verdicts.md").split()
    )
    assert false_four_fifths(50, 0.3) == pytest.approx(0.46, abs=0.005)


def test_the_cuts_of_the_severity_page_are_those_of_the_policy(repository) -> None:
    text, rules = page(repository, "severity.md"), FiveAxes().rules.scoring
    cuts = rules.cuts

    assert [tier_of_score(score, rules.tiers).value for score in (11, 8, 5, 4)] == [
        "SEV1", "SEV2", "SEV3", "SEV4"
    ]  # fmt: skip
    assert "SEV1 from 11, SEV2 from 8, SEV3 from 5" in text
    assert f"| {', '.join(f'{cut:g}' for cut in cuts.effect)} |" in text
    assert f"{', '.join(f'{100 * cut:g} %' for cut in cuts.share)};" in text
    assert f"; {', '.join(f'{cut:,.0f}' for cut in cuts.people)} |" in text
    assert f"; {', '.join(f'{cut:g}' for cut in cuts.days)} days" in text
    assert rules.points.stakes[rules.unknown.stakes] == 2
    assert rules.points.reversibility[rules.unknown.reversibility] == 1


def test_nothing_known_is_listed_as_unknown() -> None:
    suggestion = FiveAxes().suggest(SeverityInputs())

    assert suggestion.unknowns
    assert suggestion.could_be.rank <= suggestion.tier.rank

"""The numbers and names on the page about evidence are those of the code."""

import re
import textwrap

import pytest

from detectors.evidence.beta_binomial import effective_share
from detectors.evidence.calibration import TOLERANCE_STEPS
from detectors.evidence.closing import CLOSING_RULE, CLOSING_THRESHOLD
from detectors.evidence.rates import ODDS_FACTORS
from docs.generator.detectors import detectors_page
from monitor.config.decision import DecisionSettings
from monitor.decision.surveillance import MIN_HISTORY_WINDOWS
from monitor.engine.watching import ONE_WINDOW_IS_ENOUGH, RECENT_WINDOWS


@pytest.fixture
def page(repository) -> str:
    return (repository / "docs/explanation/evidence.md").read_text(encoding="utf-8")


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_tables_are_what_the_snippets_print(run_page, repository, page) -> None:
    printed = run_page(repository / "docs/explanation/evidence.md")

    tables = [text for text in printed if text]
    assert len(tables) == 2
    for table in tables:
        assert f"|\n{table}" in page


def test_the_numbers_of_calibration_and_closing_are_those_of_the_code(page) -> None:
    text = words(page)

    *most, last = (f"{step:g}" for step in TOLERANCE_STEPS[1:])
    assert f"{', '.join(most)} or {last} times as wide" in text
    assert MIN_HISTORY_WINDOWS == 8
    assert "fewer than eight windows of its own" in text
    assert CLOSING_RULE.least_age == 6
    assert f"once in {CLOSING_THRESHOLD:,.0f} windows" in text
    assert f"since the change began, {RECENT_WINDOWS} at most" in text
    assert 1000 * effective_share(1000, 0.01) == pytest.approx(91, abs=0.5)
    assert ODDS_FACTORS == (1.3, 2.0, 4.0)
    assert str(DecisionSettings().false_alarm_budget) in text


def test_the_detectors_that_may_call_after_one_window_are_named(page) -> None:
    (sentence,) = re.findall(r"more careful:.*?may\s+call after one window", page, re.DOTALL)

    assert set(re.findall("`([a-z_]+)`", sentence)) == ONE_WINDOW_IS_ENOUGH


def test_every_detector_without_evidence_is_named(page) -> None:
    part = page.partition("\n## Without a guarantee\n")[2].partition("\n## ")[0]
    sections = detectors_page().split("\n## ")[1:]

    without = {s.partition("\n")[0] for s in sections if "no false-alarm guarantee" in s}

    assert len(without) > 5
    assert {name for name in without if f"`{name}`" not in part} == set()
    assert "`metric: f1` or `balanced_accuracy`" in words(part)


def test_an_alarm_says_what_the_page_quotes(repository, run_page, page) -> None:
    quoted = "\n".join(re.findall(r"^> (.*)$", page.partition("## The words")[2], re.MULTILINE))
    budget = f"at a budget of {DecisionSettings().false_alarm_budget}"
    quoted = words(quoted.partition(budget)[0] + budget)

    printed = run_page(repository / "docs/tutorial/first-audit.md")

    assert quoted.startswith("refused is true in")
    assert quoted in words(textwrap.dedent(printed[-1]))

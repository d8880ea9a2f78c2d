import pytest

from monitor.decision.budget import FalseAlarmBudget, read_budget


@pytest.mark.parametrize(
    ("text", "incidents", "days"),
    [
        ("1 per 90 days", 1, 90),
        ("0.5 per 1 week", 0.5, 7),
        ("2 per 3 months", 2, 91.3125),
        ("1 per year", 1, 365.25),
    ],
)
def test_a_budget_is_read_as_people_say_it(text: str, incidents: float, days: float) -> None:
    budget = read_budget(text)

    assert budget == FalseAlarmBudget(incidents=incidents, days=days)
    assert budget.seconds == days * 86_400


@pytest.mark.parametrize(
    "said",
    ["0 per day", "-1 per day", "1 per 0 days", "1 per fortnight", "one per day", "1", 1, None],
)
def test_what_is_no_budget_is_refused(said: object) -> None:
    with pytest.raises(ValueError, match="for example '1 per 90 days', got"):
        read_budget(said)


def test_a_budget_says_itself() -> None:
    assert str(FalseAlarmBudget(incidents=0.5, days=7)) == "0.5 per 7 days"
    assert str(read_budget("1 per day")) == "1 per 1 day"

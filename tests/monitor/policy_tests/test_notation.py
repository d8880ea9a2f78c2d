"""Made-up windows in a few characters."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.policy_tests.notation import NotationError, Part, WindowCounts, read_windows


def test_runs_are_written_out_in_order() -> None:
    windows = read_windows("20/1000 x 2, (60/1000, 70/1000) x 2, none")

    assert [part.hits for window in windows for part in window.parts] == [20, 20, 60, 70, 60, 70]
    assert windows[-1] == WindowCounts()


def test_groups_bins_and_missing_outputs_are_told_apart() -> None:
    window = read_windows("women & 18-29 20/500 | men & 65+ 3/40 + 7 missing")[0]

    assert window.missing == 7
    assert window.parts == (
        Part(names=("women", "18-29"), hits=20, number=500),
        Part(names=("men", "65+"), hits=3, number=40),
    )
    assert read_windows("1|2|3")[0].parts == (Part(number=1), Part(number=2), Part(number=3))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one window"),
        ("twenty", "must be windows such as"),
        ("20/1000, , 30/1000", "must be windows such as"),
        ("30/20", "hits must be at most the total"),
        ("(20/1000 x 3", "close every parenthesis"),
        ("20/1000) x 3", "close every parenthesis"),
        ("20/1000 x 20000", "at most 10000 windows"),
        ("((1/2 x 100) x 100) x 100", "at most 10000 windows"),
    ],
)
def test_what_says_no_windows_is_refused(text: str, message: str) -> None:
    with pytest.raises(NotationError, match=message):
        read_windows(text)


@given(st.text(alphabet="0123456789/|&x, ()+=missing none", max_size=40))
def test_any_text_gives_windows_or_is_refused(text: str) -> None:
    with contextlib.suppress(NotationError):
        windows = read_windows(text)

        assert windows
        assert all(part.number >= (part.hits or 0) for each in windows for part in each.parts)

"""A month in words, in tables and as JSON."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from monitor.incidents.cases import Case
from monitor.incidents.looking_back import Account, LookingBack, MedianDuration, Table
from monitor.incidents.postmortem.metrics import length_text
from monitor.incidents.suggestion import Tier
from monitor.printing import time_text

__all__ = ["Section", "looking_back_record", "looking_back_sections"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A sentence or two, and perhaps a table below them."""

    lines: tuple[str, ...]
    headings: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def looking_back_sections(result: LookingBack) -> Iterator[Section]:
    """Yield the month in words and tables; what there is no data about is said, not left out."""
    when = "so far" if result.month is None else f"in {result.month}"
    account = result.real
    if account.cases:
        yield _counts(account, when)
        yield from _about_decisions(account)
        yield from _about_ends(account)
        yield _durations(account)
    else:
        yield Section(lines=(f"no incident became known {when}{_elsewhere(result)}",))
    yield _practice(result.practice, when)


def looking_back_record(result: LookingBack) -> dict[str, Any]:
    """Return the month, JSON-ready."""
    return {
        "month": None if result.month is None else str(result.month),
        "incidents": _record(result.real),
        "drills": _record(result.practice),
        "other_months": {str(month): n for month, n in result.other_months.items()},
    }


def _counts(account: Account, when: str) -> Section:
    n = len(account.cases)
    merged = f"; {account.n_merged} more went on in another one" if account.n_merged else ""
    dismissed = sum(account.dismissed.values())
    return Section(
        lines=(
            f"{_counted(n, 'incident')} became known {when}{merged}",
            f"dismissed as false: {dismissed}{_by_tier(account.dismissed)}",
            f"tier not decided by anybody: {sum(account.undecided.values())}"
            f"{_by_tier(account.undecided)}",
        )
    )


def _about_decisions(account: Account) -> Iterator[Section]:
    if not account.n_decided:
        yield Section(lines=("nobody decided a tier: suggestions cannot be compared",))
    else:
        yield Section(
            lines=("suggested (rows) and decided by people (columns):",),
            headings=("suggested", *(f"decided {tier}" for tier in Tier)),
            rows=_table_rows(account.decisions),
        )
        yield Section(
            lines=(f"decided otherwise: {account.n_overridden} of {account.n_decided}",),
            headings=("failure mode", "decided", "graver", "milder"),
            rows=tuple(
                (
                    each.failure_mode.value,
                    str(each.n_decided),
                    _share(each.n_up, each.share_up),
                    _share(each.n_down, each.share_down),
                )
                for each in account.overrides
            ),
        )
    if account.n_confirmations:
        opened, of = account.n_evidence_opened, account.n_confirmations
        line = f"confirmations and decisions after the evidence was opened: {opened} of {of}"
    else:
        line = "nothing was confirmed: whether evidence is opened first cannot be told"
    yield Section(lines=(line,))


def _about_ends(account: Account) -> Iterator[Section]:
    if account.finals:
        yield Section(
            lines=("suggested first (rows) and final after review or closing (columns):",),
            headings=("first", *(f"final {tier}" for tier in Tier)),
            rows=_table_rows(account.finals),
        )
    else:
        line = "none was reviewed or closed: there is no final severity to compare with yet"
        yield Section(lines=(line,))
    if account.raised:
        yield Section(
            lines=("began as SEV4 and were raised later:",),
            headings=("number", "time at SEV4", "state", "title"),
            rows=tuple(
                (str(each.number), length_text(each.sev4_us or 0), each.state.value, each.title)
                for each in account.raised
            ),
        )
    else:
        yield Section(lines=("nothing that began as SEV4 was raised later",))


def _durations(account: Account) -> Section:
    return Section(
        lines=("median times, over the incidents where both ends are recorded:",),
        headings=("what", "median", "incidents"),
        rows=tuple(
            (each.name, _median_text(each), f"{each.n} of {len(account.cases)}")
            for each in account.medians
        ),
    )


def _practice(account: Account, when: str) -> Section:
    if not account.cases:
        return Section(lines=(f"no drill {when}",))
    medians = tuple(each for each in account.medians if each.n)
    return Section(
        lines=(
            f"{_counted(len(account.cases), 'drill')} {when}, not counted above; tiers decided "
            f"otherwise: {account.n_overridden} of {account.n_decided}",
        ),
        headings=("drills: what", "median", "drills") if medians else (),
        rows=tuple(
            (each.name, _median_text(each), f"{each.n} of {len(account.cases)}")
            for each in medians
        ),
    )


def _elsewhere(result: LookingBack) -> str:
    if not result.other_months:
        return ""
    months = ", ".join(f"{month} ({n})" for month, n in result.other_months.items())
    return f"; months with incidents or drills: {months}"


def _table_rows(table: Table) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (before.value, *(str(table.get((before, after), 0)) for after in Tier)) for before in Tier
    )


def _by_tier(counts: Mapping[Tier, int]) -> str:
    told = ", ".join(f"{counts[tier]} {tier.value}" for tier in Tier if counts.get(tier))
    return f" ({told})" if told else ""


def _share(number: int, share: float | None) -> str:
    return "no data" if share is None else f"{number} ({100 * share:.0f} %)"


def _median_text(median: MedianDuration) -> str:
    if median.low_us is None or median.high_us is None:
        return "no data"
    low, high = length_text(median.low_us), length_text(median.high_us)
    return low if low == high else f"{low} to {high}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _record(account: Account) -> dict[str, Any]:
    return {
        "n": len(account.cases),
        "merged": account.n_merged,
        "decisions": _table_record(account.decisions),
        "decided": account.n_decided,
        "overridden": account.n_overridden,
        "overrides": [
            {
                "failure_mode": each.failure_mode.value,
                "decided": each.n_decided,
                "up": each.n_up,
                "down": each.n_down,
                "share_up": each.share_up,
                "share_down": each.share_down,
            }
            for each in account.overrides
        ],
        "undecided": {tier.value: account.undecided.get(tier, 0) for tier in Tier},
        "dismissed": {tier.value: account.dismissed.get(tier, 0) for tier in Tier},
        "finals": _table_record(account.finals),
        "raised_from_sev4": [
            {"id": each.id, "number": each.number, "seconds": (each.sev4_us or 0) / 1_000_000}
            for each in account.raised
        ],
        "confirmations": account.n_confirmations,
        "confirmations_after_evidence_opened": account.n_evidence_opened,
        "medians": [_median_record(each) for each in account.medians],
        "cases": [_case_record(each) for each in account.cases],
    }


def _table_record(table: Table) -> dict[str, dict[str, int]]:
    return {
        before.value: {after.value: table.get((before, after), 0) for after in Tier}
        for before in Tier
    }


def _median_record(median: MedianDuration) -> dict[str, Any]:
    low, high = median.low_us, median.high_us
    return {
        "name": median.name,
        "n": median.n,
        "low_seconds": None if low is None else low / 1_000_000,
        "high_seconds": None if high is None else high / 1_000_000,
    }


def _case_record(case: Case) -> dict[str, Any]:
    decision = case.decision
    return {
        "id": case.id,
        "number": case.number,
        "known": time_text(case.known_us),
        "failure_mode": case.failure_mode.value,
        "state": case.state.value,
        "first": case.first.value,
        "suggested": None if decision is None else decision.suggested.value,
        "decided": None if decision is None else decision.decided.value,
        "final": None if case.final is None else case.final.value,
        "title": case.title,
    }

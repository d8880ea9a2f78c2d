"""What a severity policy would alter, in words, as a table and as JSON."""

from collections.abc import Iterator
from typing import Any

from monitor.engine.looking_back import Move, PolicyChange

__all__ = ["HEADINGS", "policy_change_lines", "policy_change_record", "policy_change_rows"]

HEADINGS = ("number", "suggested", "would be", "could be", "would be up to", "decided", "title")


def policy_change_lines(change: PolicyChange) -> Iterator[str]:
    """Yield the sentences about a policy."""
    n, n_up = len(change.moves), sum(each.is_graver for each in change.moves)
    if not change.n_asked:
        yield f"no past incident can be asked about under {change.policy}"
    elif not n:
        yield f"none of {change.n_asked} past incidents would move under {change.policy}"
    else:
        these = "this past incident" if n == 1 else f"these {n} past incidents"
        yield (
            f"{these} of {change.n_asked} would move under {change.policy}: {n_up} graver, "
            f"{n - n_up} milder"
        )
    if change.n_decided:
        yield (
            f"of {change.n_decided} with a tier that a person decided, {change.n_agreed_before} "
            f"were suggested as decided, {change.n_agreed_after} would be"
        )
    elif change.n_asked:
        yield "nobody decided the tier of any of them"
    if change.unknown:
        numbers = ", ".join(f"#{each.number}" for each in change.unknown)
        yield (
            f"cannot be asked about, for what the policy was told of them is not kept: {numbers}"
        )


def policy_change_rows(change: PolicyChange) -> list[tuple[str, ...]]:
    """Return one row for each incident that would move."""
    return [
        (
            str(each.case.number),
            each.before.value,
            each.after.value,
            each.before_could_be.value,
            each.after_could_be.value,
            each.case.decision.decided.value if each.case.decision else "",
            each.case.title,
        )
        for each in change.moves
    ]


def policy_change_record(change: PolicyChange) -> dict[str, Any]:
    """Return what would be altered, JSON-ready."""
    return {
        "policy": change.policy,
        "asked": change.n_asked,
        "moves": [_move_record(each) for each in change.moves],
        "unknown": [{"id": each.id, "number": each.number} for each in change.unknown],
        "decided": change.n_decided,
        "suggested_as_decided": change.n_agreed_before,
        "would_be_suggested_as_decided": change.n_agreed_after,
    }


def _move_record(move: Move) -> dict[str, Any]:
    decision = move.case.decision
    return {
        "id": move.case.id,
        "number": move.case.number,
        "title": move.case.title,
        "failure_mode": move.case.failure_mode.value,
        "before": {
            "suggested": move.before.value,
            "could_be": move.before_could_be.value,
            "policy": move.before_policy,
        },
        "after": {
            "suggested": move.after.value,
            "could_be": move.after_could_be.value,
            "reasons": list(move.reasons),
        },
        "decided": None if decision is None else decision.decided.value,
    }

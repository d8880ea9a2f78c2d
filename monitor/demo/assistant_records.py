"""The assistant's answers as lines of moe/1 JSON."""

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from monitor.demo.support_assistant import (
    CHANNELS,
    CHECKS,
    FINISH_REASONS,
    LANGUAGES,
    MODELS,
    PLANS,
    PROMPT_VERSIONS,
    AssistantEvents,
    Check,
)
from monitor.demo.traffic import timestamps

__all__ = ["assistant_lines"]

_CLEAN, _FLAGGED, _FAILED = range(3)


def assistant_lines(events: AssistantEvents, *, first: int = 0) -> Iterator[str]:
    """Yield each answer as one line of JSON, in order, newline included.

    Parameters
    ----------
    events
        The answers.
    first
        The number of the first one; ids are made of it.
    """
    members = zip(
        timestamps(events.time_us),
        events.session.tolist(),
        _context(events),
        _output(events),
        events.latency_ms.tolist(),
        _safety(events),
        strict=True,
    )
    numbered = enumerate(members, start=first)
    for number, (stamp, session, context, output, latency, safety) in numbered:
        yield (
            f'{{"schema":"moe/1","event_type":"output","env":"demo",'
            f'"event_id":"answer-{number:07d}","ts":"{stamp}",'
            f'"subject":{{"session_id":"session-{session:07d}"}},'
            f'{context},{output},"latency_ms":{latency},"safety":{safety}}}\n'
        )


def _context(events: AssistantEvents) -> list[str]:
    """Return the members model, app and strata of each record.

    There are few combinations, so each is written once and looked up.
    """
    sets = (MODELS, (False, True), PROMPT_VERSIONS, LANGUAGES, CHANNELS, PLANS)
    codes = (
        events.model,
        events.replaced.astype(np.int64),
        events.prompt_version,
        events.language,
        events.channel,
        events.plan,
    )
    fragments = [
        f'"model":{_model(model, replaced)},'
        f'"app":{{"name":"help-centre","prompt_id":"support","prompt_version":"{prompt}",'
        f'"policy_version":"sp-4","language":"{language}","channel":"{channel}"}},'
        f'"strata":{{"plan":"{plan}"}}'
        for model, replaced, prompt, language, channel, plan in product(*sets)
    ]
    positions = np.ravel_multi_index(codes, tuple(len(values) for values in sets))
    return [fragments[position] for position in positions.tolist()]


def _model(name: str, replaced: bool) -> str:
    """Return the member model; a replacement shows in the fingerprint alone."""
    fingerprint = {"assist-large": "fp_7c41", "assist-small": "fp_1b86"}[name]
    return _json(
        {
            "provider": "hosted",
            "name": name,
            "version": "2026-06-01",
            "fingerprint": "fp_9e02" if replaced else fingerprint,
            "task": "generation",
        }
    )


def _output(events: AssistantEvents) -> list[str]:
    """Return the members output and usage of each record."""
    columns = (
        events.finish_reason.tolist(),
        events.refused.tolist(),
        events.n_words.tolist(),
        events.input_tokens.tolist(),
        events.output_tokens.tolist(),
    )
    flags = ("false", "true")
    return [
        f'"output":{{"finish_reason":"{FINISH_REASONS[finish]}",'
        f'"refusal":{{"is":{flags[refused]},"source":"provider"}},'
        f'"features":{{"n_words":{words}}}}},'
        f'"usage":{{"input_tokens":{tokens_in},"output_tokens":{tokens_out}}}'
        for finish, refused, words, tokens_in, tokens_out in zip(*columns, strict=True)
    ]


def _safety(events: AssistantEvents) -> list[str]:
    """Return the member safety of each record."""
    verdicts = np.where(events.failed, _FAILED, events.flagged.astype(np.int64))
    possible = product((_CLEAN, _FLAGGED, _FAILED), repeat=len(CHECKS))
    fragments = {verdict: _json(_safety_member(verdict)) for verdict in possible}
    return [fragments[verdict] for verdict in map(tuple, verdicts.tolist())]


def _safety_member(verdicts: tuple[int, ...]) -> dict[str, Any]:
    checks = [_check(*pair) for pair in zip(CHECKS, verdicts, strict=True)]
    taken = {check["action"] for check in checks}
    failed = verdicts.count(_FAILED)
    return {
        "coverage": "full" if not failed else "none" if failed == len(verdicts) else "partial",
        "action": next((action for action in ("block", "annotate") if action in taken), "allow"),
        "checks": checks,
    }


def _check(check: Check, verdict: int) -> dict[str, Any]:
    """Return one verdict; an absent one is null, never false."""
    flagged = verdict == _FLAGGED
    return {
        "stage": check.stage,
        "filter": check.filter,
        "category": check.category,
        "status": "error" if verdict == _FAILED else "ok",
        "flagged": None if verdict == _FAILED else flagged,
        "action": "none" if not flagged else "block" if check.blocks else "annotate",
    }


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"))

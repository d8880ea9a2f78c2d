"""A language-model assistant: answers, refusals, lengths, latency and two safety filters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from monitor.demo.scenario import DAYS, PLANTED, at
from monitor.demo.traffic import Traffic, arrival_times, choose, day_effects, hour_of

__all__ = [
    "CHECKS",
    "FINISH_REASONS",
    "LANGUAGES",
    "STARTS",
    "AssistantEvents",
    "Check",
    "draw_answers",
]

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Booleans = npt.NDArray[np.bool_]

LANGUAGES = ("de", "en", "es", "fr")
MODELS = ("assist-large", "assist-small")
PROMPT_VERSIONS = ("12", "13")
CHANNELS = ("app", "email", "web")
PLANS = ("business", "free", "plus")
FINISH_REASONS = ("content_filter", "length", "refusal", "stop", "tool_call")


@dataclass(frozen=True, slots=True)
class Check:
    """A safety filter's verdict on one category.

    Parameters
    ----------
    stage, filter, category
        As the event names them.
    rate
        The share of events that it flags when it works.
    blocks
        Whether a flagged output is blocked; otherwise it is annotated.
    """

    stage: str
    filter: str
    category: str
    rate: float
    blocks: bool


CHECKS: tuple[Check, ...] = (
    Check("input", "prompt_shield", "prompt_attack", 0.020, True),
    Check("input", "prompt_shield", "self_harm", 0.010, False),
    Check("output", "moderation", "harassment", 0.018, True),
    Check("output", "moderation", "self_harm", 0.012, True),
    Check("output", "moderation", "violence", 0.014, False),
)

_TRAFFIC = Traffic(night=0.15, peak_hour=15.0, weekend=0.7, day_spread=0.05, bursts=8)
_LANGUAGE_SHARES = np.array([0.15, 0.52, 0.20, 0.13])
_REFUSAL_LOG_ODDS = np.array([-3.5, -3.5, -3.45, -3.5])  # about 3 % in every language
_SPANISH_LOG_ODDS = -1.1  # about 25 %
_WORDS_BY_LANGUAGE = np.array([0.95, 1.0, 1.08, 1.05])
_LONGER = 1.8
_ERRORS = {"normal": 0.002, "dead": 0.985}
_MAX_WORDS = 700
_NEVER = at(DAYS + 1)

STARTS: Final[Mapping[str, int]] = {planted.key: planted.start_us for planted in PLANTED}
"""When each planted incident begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantEvents:
    """Answers in order of time; every array has shape (n_events,) unless it says otherwise.

    Parameters
    ----------
    time_us
        Microseconds since the epoch.
    session
        Which conversation; the turns of one share person, language, channel and plan.
    language, model, prompt_version, channel, plan, finish_reason
        Positions in the tuples of this module.
    replaced
        Whether the replaced model answered.
    refused
        Whether the answer is a refusal.
    n_words, input_tokens, output_tokens, latency_ms
        Words and tokens of the answer, tokens of the request, milliseconds.
    failed, flagged
        Of shape (n_events, n_checks): no verdict because of an error; a verdict of *flagged*.
    """

    time_us: Integers
    session: Integers
    language: Integers
    model: Integers
    prompt_version: Integers
    channel: Integers
    plan: Integers
    finish_reason: Integers
    replaced: Booleans
    refused: Booleans
    n_words: Integers
    input_tokens: Integers
    output_tokens: Integers
    latency_ms: Integers
    failed: Booleans
    flagged: Booleans


def draw_answers(
    n_events: int, rng: np.random.Generator, starts: Mapping[str, int] = STARTS
) -> AssistantEvents:
    """Return `n_events` answers of the demo's month.

    Parameters
    ----------
    n_events
        How many.
    rng
        Of every draw.
    starts
        When each planted incident begins, by its key; what is not named never does.
    """
    time_us, session, first = _sessions(n_events, rng)
    n_sessions = len(first)
    language = choose(_languages_by_hour(time_us[first]), n_sessions, rng)[session]
    channel = choose(np.array([0.45, 0.15, 0.40]), n_sessions, rng)[session]
    plan = choose(np.array([0.15, 0.60, 0.25]), n_sessions, rng)[session]
    model = choose(np.array([0.8, 0.2]), n_events, rng)
    replaced = _begun("silent-model-change", time_us, starts) & (model == 0)
    failed, flagged = _checks(time_us, _begun("dead-output-filter", time_us, starts), rng)
    refused = _refusals(language, time_us, _begun("spanish-refusals", time_us, starts), rng)
    words = _words(language, replaced, refused, day_effects(0.02, time_us, rng), rng)
    output_tokens = np.round(words * rng.normal(1.35, 0.05, n_events)).astype(np.int64)
    blocked = (flagged & np.array([check.blocks for check in CHECKS])).any(axis=1)
    order = np.argsort(time_us, kind="stable")
    events = {
        "time_us": time_us,
        "session": session,
        "language": language,
        "model": model,
        "prompt_version": choose(np.array([0.5, 0.5]), n_events, rng),
        "channel": channel,
        "plan": plan,
        "finish_reason": _finish_reasons(blocked, refused, words, rng),
        "replaced": replaced,
        "refused": refused & ~blocked,
        "n_words": words,
        "input_tokens": np.round(np.exp(rng.normal(5.6, 0.7, n_events))).astype(np.int64),
        "output_tokens": output_tokens,
        "latency_ms": _latency(output_tokens, rng),
        "failed": failed,
        "flagged": flagged,
    }
    return AssistantEvents(**{name: values[order] for name, values in events.items()})


def _sessions(n_events: int, rng: np.random.Generator) -> tuple[Integers, Integers, Integers]:
    """Return time and session of each event, and the first event of each session.

    Conversations have 1, 2, 3, ... turns with falling probability, a minute or so apart.
    """
    turns = rng.geometric(0.55, n_events)
    starts = np.cumsum(turns) - turns
    n_sessions = int(np.searchsorted(starts, n_events))
    first = starts[:n_sessions]
    session = np.repeat(np.arange(n_sessions), turns[:n_sessions])[:n_events]
    pause = rng.exponential(70e6, n_events).astype(np.int64)
    pause[first] = 0
    since_first = np.cumsum(pause) - np.cumsum(pause)[first][session]
    time_us = arrival_times(n_sessions, _TRAFFIC, rng)[session] + since_first
    return np.minimum(time_us, at(DAYS + 1) - 1), session, first


def _languages_by_hour(time_us: Integers) -> Floats:
    """Return each session's shares of the languages: at night a little more English."""
    night = 0.5 + 0.5 * np.cos(2.0 * np.pi * (hour_of(time_us) - 3.0) / 24.0)
    shares = np.tile(_LANGUAGE_SHARES, (len(time_us), 1))
    shares[:, LANGUAGES.index("en")] *= 1.0 + 0.06 * night
    return shares


def _begun(key: str, time_us: Integers, starts: Mapping[str, int]) -> Booleans:
    return np.asarray(time_us >= starts.get(key, _NEVER))


def _refusals(
    language: Integers, time_us: Integers, begun: Booleans, rng: np.random.Generator
) -> Booleans:
    log_odds = _REFUSAL_LOG_ODDS[language] + day_effects(0.05, time_us, rng)
    hit = (language == LANGUAGES.index("es")) & begun
    log_odds = np.where(hit, _SPANISH_LOG_ODDS, log_odds)
    return np.asarray(rng.random(len(time_us)) < 1.0 / (1.0 + np.exp(-log_odds)))


def _words(
    language: Integers,
    replaced: Booleans,
    refused: Booleans,
    mood: Floats,
    rng: np.random.Generator,
) -> Integers:
    """Return the words of each answer; refusals are short."""
    n_events = len(language)
    median = 120.0 * _WORDS_BY_LANGUAGE[language] * np.where(replaced, _LONGER, 1.0)
    words = median * np.exp(0.55 * rng.normal(0.0, 1.0, n_events) + mood)
    words = np.where(refused, 22.0 * np.exp(0.25 * rng.normal(0.0, 1.0, n_events)), words)
    return np.asarray(np.clip(np.round(words), 1, _MAX_WORDS), dtype=np.int64)


def _latency(output_tokens: Integers, rng: np.random.Generator) -> Integers:
    noise = np.exp(rng.normal(0.0, 0.25, len(output_tokens)))
    return np.round((250.0 + 9.0 * output_tokens) * noise).astype(np.int64)


def _checks(
    time_us: Integers, begun: Booleans, rng: np.random.Generator
) -> tuple[Booleans, Booleans]:
    """Return which checks failed and which flagged, of shape (n_events, n_checks)."""
    n_events = len(time_us)
    failed = np.empty((n_events, len(CHECKS)), dtype=np.bool_)
    flagged = np.empty_like(failed)
    for name in ("prompt_shield", "moderation"):
        dead = begun & (name == "moderation")
        share = np.where(dead, _ERRORS["dead"], _ERRORS["normal"])
        call_failed = rng.random(n_events) < share
        for position, check in enumerate(CHECKS):
            if check.filter == name:
                rate = check.rate * np.exp(day_effects(0.06, time_us, rng))
                failed[:, position] = call_failed
                flagged[:, position] = ~call_failed & (rng.random(n_events) < rate)
    return failed, flagged


def _finish_reasons(
    blocked: Booleans, refused: Booleans, words: Integers, rng: np.random.Generator
) -> Integers:
    tool = rng.random(len(words)) < 0.08
    reasons = [
        (blocked, "content_filter"),
        (refused, "refusal"),
        (words >= _MAX_WORDS, "length"),
        (tool, "tool_call"),
    ]
    chosen = np.full(len(words), FINISH_REASONS.index("stop"))
    for hit, reason in reversed(reasons):
        chosen = np.where(hit, FINISH_REASONS.index(reason), chosen)
    return chosen

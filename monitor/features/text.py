"""Features of a text that need nothing but the text: no model, no word list to download.

They describe form, not quality. Their limits are part of what they mean:

- a word is a run of letters, digits and marks, so text in a script without spaces (Chinese,
  Japanese, Thai) counts as few, long words;
- `refusal` looks for English phrases in the first 400 characters. It misses refusals in other
  languages and polite deflections, and it catches quoted refusals and judgements ("it is not
  appropriate to ..." about what was asked). Its precision and recall
  must be estimated from reviewed samples before its rate is read as a rate of refusals.
"""

import re

import orjson

from baselines.schema import Dtype
from monitor.features.registry import text_feature

__all__ = [
    "is_empty",
    "is_refusal",
    "is_valid_json",
    "n_characters",
    "n_code_fences",
    "n_questions",
    "n_urls",
    "n_words",
]

_REFUSAL_WINDOW = 400

_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")
_URL = re.compile(r"\bhttps?://[^\s<>\"')\]]+", re.IGNORECASE)
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)
# What a speaker says to be wrong to do: "it is not appropriate or ethical to", "it would be
# unethical for me to".
_RIGHT = r"(?:appropriate|ethical|acceptable|permissible|responsible|moral)"
_RIGHT_TO = rf"(?:\w+ )?{_RIGHT}(?:,? (?:or|and|nor) \w+)? (?:for me )?to\b"
_WRONG = r"(?:inappropriate|unethical|unacceptable|impermissible|irresponsible|immoral)"
_REFUSAL = re.compile(
    r"\bI(?:'m| am)(?: very| so| really)? sorry,? but\b"
    r"|\bI(?:'m| am)(?: very| so| really)? sorry,? I (?:can(?:no|')t|can not|won't|am unable)\b"
    r"|\bI (?:can(?:no|')t|can not|won't|will not|must decline to|am not able to|am unable to)"
    r"(?: \w+){0,2} (?:help|assist|provide|comply|fulfil+|answer|create|write|generate|support"
    r"|participate|engage|discuss|share|do that)\b"
    r"|\bI (?:can(?:no|')t|can not|won't|will not)(?: \w+){0,2}"
    r" (?:suggest|endorse|encourage|condone|promote|advise|facilitate|offer|give)\b"
    r"|\bI(?:'m| am) (?:unable|not able|not allowed|not permitted) to\b"
    r"|\bI (?:must|have to) (?:respectfully )?(?:decline|refuse)\b"
    r"|\bas an (?:AI|artificial intelligence)\b[^.]{0,80}\b(?:can(?:no|')t|can not|unable|not able"
    r"|do not have|don't have)\b"
    rf"|\bit(?:'s| is|'s just| is just) (?:not|never) {_RIGHT_TO}"
    rf"|\bit (?:would not|wouldn't) be {_RIGHT_TO}"
    rf"|\bit(?:'s| is| would be) (?:\w+ )?{_WRONG}(?:,? (?:or|and) \w+)? (?:for me )?to\b"
    r"|\b(?:against|violates?) (?:my|our|the) (?:guidelines|polic(?:y|ies)|programming)\b",
    re.IGNORECASE,
)


@text_feature("n_chars", Dtype.INT64, unit="characters")
def n_characters(text: str) -> int:
    """Return the number of Unicode code points."""
    return len(text)


@text_feature("n_words", Dtype.INT64, unit="words")
def n_words(text: str) -> int:
    """Return the number of runs of word characters.

    Examples
    --------
    >>> n_words("It's well-known: 2 + 2 = 4.")
    5
    """
    return len(_WORD.findall(text))


@text_feature("empty", Dtype.BOOLEAN)
def is_empty(text: str) -> bool:
    """Return whether there is nothing but white space."""
    return not text.strip()


@text_feature("refusal", Dtype.BOOLEAN)
def is_refusal(text: str) -> bool:
    """Return whether the first 400 characters hold a common English phrase of refusal.

    Examples
    --------
    >>> is_refusal("I'm sorry, but I can't help with that."), is_refusal("Sure: 42.")
    (True, False)
    """
    return _REFUSAL.search(text[:_REFUSAL_WINDOW].replace("\u2019", "'")) is not None


@text_feature("json_valid", Dtype.BOOLEAN)
def is_valid_json(text: str) -> bool:
    """Return whether the text as a whole is a JSON object or list.

    Examples
    --------
    >>> is_valid_json(' {"a": 1} '), is_valid_json("3"), is_valid_json("{'a': 1}")
    (True, False, False)
    """
    stripped = text.strip()
    if not stripped.startswith(("{", "[")):
        return False
    try:
        orjson.loads(stripped)
    except orjson.JSONDecodeError:
        return False
    return True


@text_feature("n_urls", Dtype.INT64, unit="links")
def n_urls(text: str) -> int:
    """Return the number of http and https links."""
    return len(_URL.findall(text)) if "://" in text else 0


@text_feature("n_code_fences", Dtype.INT64, unit="fences")
def n_code_fences(text: str) -> int:
    """Return the number of lines that open or close a fenced block of code."""
    return len(_FENCE.findall(text)) if "```" in text or "~~~" in text else 0


@text_feature("n_questions", Dtype.INT64, unit="question marks")
def n_questions(text: str) -> int:
    """Return the number of question marks, ASCII, full-width and Arabic."""
    return text.count("?") + text.count("\uff1f") + text.count("\u061f")

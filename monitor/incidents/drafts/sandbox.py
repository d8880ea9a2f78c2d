"""Renders one template in a process of its own; run as a script, never imported.

It reads a request as JSON from standard input and writes the text to standard output. It
imports nothing of the program, so that a template that breaks out of the sandbox finds
neither a database nor a configuration.
"""

import json
import re
import resource
import sys
from typing import Any

_MARK = "[unknown yet: {label} - to be filled by a person{why}]"


def _limit(megabytes: int, seconds: int) -> None:
    size = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _shown(field: dict[str, Any]) -> str:
    if field["state"] == "unknown":
        why = f"; {field['reason']}" if field["reason"] else ""
        return _MARK.format(label=field["label"], why=why)
    if field["state"] == "not_applicable":
        return f"(does not apply: {_words(field['reason'])})"
    text = _words(field["text"])
    if field["state"] == "estimate":
        low, high, method = (_words(field[key]) for key in ("low", "high", "method"))
        return f"{text} (estimated, {low} to {high}: {method})"
    return text


def _words(text: object) -> str:
    # Brackets are for citations; one line, so that a text cannot pass for a heading.
    return " ".join(str(text).replace("[", "(").replace("]", ")").split())


def _sentence(template: str, fields: dict[str, dict[str, Any]], names: list[str]) -> str:
    shown = {name: _shown(fields[name]) for name in names}
    refs = list(dict.fromkeys(ref for name in names for ref in fields[name]["refs"]))
    observed = any(fields[name]["observed"] for name in names)
    # A text that ends with a full stop may stand before one.
    text = re.sub(r"\.\.(?= |$)", ".", template.format_map(shown))
    if observed:
        # Only a word of the template loses its capital: a name keeps it.
        first = text[:1] if template.startswith("{") else text[:1].lower()
        text = f"Our monitoring recorded: {first}{text[1:]}"
    return f"{text}{' [' + ', '.join(refs) + ']' if refs else ''}"


def main() -> None:
    """Render what standard input asks for."""
    import string

    from jinja2 import DictLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    request = json.load(sys.stdin)
    _limit(request["megabytes"], request["seconds"])
    fields = request["fields"]

    def say(template: str) -> str:
        names = [name for _, name, _, _ in string.Formatter().parse(template) if name is not None]
        return _sentence(template, fields, names)

    def known(name: str) -> bool:
        return bool(fields[name]["state"] != "unknown")

    environment = ImmutableSandboxedEnvironment(
        loader=DictLoader(request["templates"]),
        undefined=StrictUndefined,
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals = {"say": say, "known": known}
    text = environment.get_template(request["name"]).render()
    sys.stdout.write(text)


if __name__ == "__main__":
    main()

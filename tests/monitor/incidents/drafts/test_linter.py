"""No template can say what nobody recorded."""

import pytest

from monitor.incidents.drafts.audiences import regulator_template
from monitor.incidents.drafts.fields import DEFINITIONS
from monitor.incidents.drafts.linter import LONGEST_TEMPLATE, LintProblem, lint
from monitor.incidents.drafts.rendering import templates_in
from monitor.incidents.regimes.library import regimes

LABELS = {name: each.label for name, each in DEFINITIONS.items()}


def problems(source: str) -> tuple[LintProblem, ...]:
    return lint("t.md", source, fields=DEFINITIONS, templates=("staff.md",))


@pytest.mark.parametrize(
    ("trap", "reason"),
    [
        ("{{ exposed|default('about a lot') }}", "filter"),
        ("{{ say('{exposed}')|default('x') }}", "filter"),
        ("{{ say('{exposed}' | default('x')) }}", "one literal text"),
        ("{{ exposed or 'unclear' }}", "hides a missing fact"),
        ("{{ say('{exposed}') or 'unclear' }}", "hides a missing fact"),
        ("{{ exposed and 'yes' }}", "hides a missing one"),
        ("{{ 'a' if exposed else 'b' }}", "choice"),
        ("{{ exposed + exposed }}", "arithmetic"),
        ("{{ 10 ** 10 ** 10 }}", "arithmetic"),
        ("{{ 'x' * 1000 }}", "arithmetic"),
        ("{{ -exposed }}", "can make"),
        ("{{ 'a' ~ 'b' }}", "joined"),
        ("{{ 42 }}", "literal"),
        ("{{ 'a claim' }}", "literal"),
        ("{{ exposed }}", "inside say"),
        ("{{ now() }}", "only say() is called"),
        ("{{ say.__globals__ }}", "attributes"),
        ("{{ say.__init__('{exposed}') }}", "only say() is called"),
        ("{{ ''.__class__.__mro__ }}", "attributes"),
        ("{{ say['x'] }}", "items"),
        ("{{ say('{exposed}', 'x') }}", "one literal text"),
        ("{{ say(text='{exposed}') }}", "one literal text"),
        ("{{ say(*parts) }}", "one literal text"),
        ("{{ say('About 100 people: {exposed}.') }}", "no digits"),
        ("{{ say('Half of them: {exposed}.') }}", "no quantities, got 'half'"),
        ("{{ say('Nobody was harmed: {exposed}.') }}", "no quantities, got 'nobody'"),
        ("{{ say('\N{VULGAR FRACTION ONE HALF} of {exposed}.') }}", "no digits"),
        ("{{ say('\N{ARABIC-INDIC DIGIT FOUR} of {exposed}.') }}", "no digits"),
        ("{{ say('It is safe.') }}", "names at least one field"),
        ("{{ say('{exposed.__class__}') }}", "unknown field"),
        ("{{ say('{exposed!r}') }}", "without a format"),
        ("{{ say('{exposed:>900000000}') }}", "without a format"),
        ("{{ say('{nonsense}') }}", "unknown field"),
        ("{{ say('{exposed') }}", "braces"),
        ("{{ say('{exposed} [e9]') }}", "brackets"),
        ("{% set exposed = 5 %}", "set"),
        ("{% set exposed %}five{% endset %}", "set"),
        ("{% set ns = namespace(n=0) %}", "set"),
        ("{% for i in range(1000000000) %}x{% endfor %}", "loop"),
        ("{% for i in exposed %}x{% endfor %}", "loop"),
        ("{% with exposed = 5 %}{% endwith %}", "with"),
        ("{% macro m() %}x{% endmacro %}", "macro"),
        ("{% call say('x') %}x{% endcall %}", "call block"),
        ("{% filter upper %}x{% endfilter %}", "filter"),
        ("{% import 'staff.md' as s %}", "only files of the folder"),
        ("{% from 'staff.md' import s %}", "only files of the folder"),
        ("{% extends 'staff.md' %}", "only files of the folder"),
        ("{% block b %}x{% endblock %}", "can make"),
        ("{% include '../../etc/passwd' %}", "only files of the folder"),
        ("{% include 'other.md' %}", "only files of the folder"),
        ("{% include exposed %}", "only files of the folder"),
        ("{% if exposed > 100 %}x{% endif %}", "comparing"),
        ("{% if exposed is defined %}x{% endif %}", "tests on facts"),
        ("{% if exposed %}x{% endif %}", "inside say"),
        ("{% if known('nonsense') %}x{% endif %}", "unknown field"),
        ("{% if known('exposed') %}{{ 5 }}{% endif %}", "literal"),
        ("{% if known('exposed') %}{% elif 1 %}{% endif %}", "literal"),
        ("{% if known('exposed') %}{% else %}a claim{% endif %}", "headings only"),
        ("People were not harmed.", "headings only"),
        ("- People were not harmed.", "headings only"),
        ("# Since 2025", "no digits"),
        ("# All about thousands", "no quantities"),
        ("{% raw %}{{ 5 }}{% endraw %}", "headings only"),
        ("{{ say('{exposed}'", "expected"),
    ],
)
def test_a_template_that_can_invent_is_refused(trap, reason) -> None:
    found = problems(trap)

    assert found
    assert any(reason in str(each) for each in found), found


def test_each_problem_names_its_file_and_line() -> None:
    found = problems("# Title\n\n{{ say('{exposed}') }}\n{{ 42 }}\nA claim.\n")

    assert [str(each).partition(": ")[0] for each in found] == ["t.md:4", "t.md:5"]


def test_what_says_only_what_is_known_is_accepted() -> None:
    source = (
        "# Title\n\n- {{ say('Exposed: {exposed}.') }}\n"
        "{% if not known('harm') %}\n{{ say('Harm: {harm}.') }}\n{% endif %}\n"
        "{% include 'staff.md' %}\n"
    )

    assert problems(source) == ()


def test_a_template_that_is_too_long_or_too_deep_is_refused_before_it_is_understood() -> None:
    deep = "{{ " + "(" * 9_000 + "1" + ")" * 9_000 + " }}"

    assert "at most" in str(problems("#" * (LONGEST_TEMPLATE + 1))[0])
    assert problems(deep)


@pytest.mark.parametrize("name", sorted(templates_in()))
def test_our_own_templates_are_accepted(name) -> None:
    templates = templates_in()

    assert lint(name, templates[name], fields=DEFINITIONS, templates=templates) == ()


@pytest.mark.parametrize("each", regimes().values(), ids=lambda each: each.id)
def test_the_report_of_every_duty_is_accepted_and_holds_what_it_must(each) -> None:
    assert set(each.contents) <= set(DEFINITIONS)

    source = regulator_template(each, LABELS)

    assert problems(source) == ()
    assert all(f"{{{name}}}" in source for name in each.contents)

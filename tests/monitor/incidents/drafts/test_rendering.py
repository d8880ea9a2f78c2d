"""Rendering keeps to its limits even where the linter would have missed something."""

import pytest

from monitor.incidents.drafts.facts import facts_of
from monitor.incidents.drafts.fields import Fields
from monitor.incidents.drafts.linter import TemplateError
from monitor.incidents.drafts.rendering import (
    RenderLimits,
    render,
    render_unchecked,
    templates_in,
)

TIGHT = RenderLimits(megabytes=128, cpu_seconds=1, seconds=5)


def fields(growing) -> Fields:
    return facts_of(growing.incident, growing.entries, {}, growing.now_us)


@pytest.mark.parametrize(
    "bomb",
    [
        "{{ 'x' * 5000000000 }}",
        "{{ '%5000000000d' % 1 }}",
        "{{ 'x'.ljust(5000000000) }}",
        "{% for i in range(1000000000) %}x{% endfor %}",
    ],
)
def test_a_memory_bomb_is_stopped(growing, bomb) -> None:
    with pytest.raises(TemplateError, match=r"t\.md (cannot be rendered|must make)"):
        render_unchecked("t.md", fields(growing), templates={"t.md": bomb}, limits=TIGHT)


def test_a_template_that_runs_for_ever_is_stopped(growing) -> None:
    loop = "{% for a in range(90000) %}{% for b in range(90000) %}{% endfor %}{% endfor %}"

    with pytest.raises(TemplateError, match=r"t\.md (cannot be rendered|must be rendered)"):
        render_unchecked("t.md", fields(growing), templates={"t.md": loop}, limits=TIGHT)


def test_the_sandbox_finds_no_way_out(growing) -> None:
    escape = "{{ say.__globals__['__builtins__'] }}"

    with pytest.raises(TemplateError, match=r"unsafe|no attribute|undefined"):
        render_unchecked("t.md", fields(growing), templates={"t.md": escape}, limits=TIGHT)


def test_what_is_not_defined_is_an_error_and_never_blank(growing) -> None:
    with pytest.raises(TemplateError, match="'n_people' is undefined"):
        render_unchecked("t.md", fields(growing), templates={"t.md": "{{ n_people }}"})


def test_a_template_with_a_default_is_refused_before_it_is_rendered(growing) -> None:
    templates = {"t.md": "{{ exposed|default('about 100') }}"}

    with pytest.raises(TemplateError, match=r"t\.md:1: filter.*\n1 problems"):
        render("t.md", fields(growing), templates=templates)


def test_a_missing_fact_is_shown_as_unknown(growing) -> None:
    templates = {"t.md": '{{ say("Harmed: {n_harmed}.") }}'}

    text = render("t.md", fields(growing), templates=templates)

    assert text == ("Harmed: [unknown yet: number of people harmed - to be filled by a person].")


def test_a_text_cannot_pass_for_a_citation_a_heading_or_a_field(growing) -> None:
    seq = growing.state("contact", "call us [e1]\n# Since\n{exposed}")
    templates = {"t.md": '{{ say("Contact: {contact}.") }}'}

    text = render("t.md", fields(growing), templates=templates)

    assert text == f"Contact: call us (e1) # Since {{exposed}}. [e{seq}]"


def test_a_name_that_begins_what_was_recorded_keeps_its_capital(growing) -> None:
    facts = facts_of(growing.incident, growing.entries, {}, growing.now_us, outside=True)
    templates = {"t.md": '{{ say("{title}.") }}'}

    text = render("t.md", facts, templates=templates, outside=True)

    assert text.startswith(f"Our monitoring recorded: {facts['title'].text}")


def test_what_an_incident_is_called_was_not_observed(growing) -> None:
    facts = facts_of(growing.incident, growing.entries, {}, growing.now_us, outside=True)
    templates = {"t.md": '{{ say("System: {system}, in {environment}.") }}'}

    assert render("t.md", facts, templates=templates, outside=True).startswith("System: ")


def test_outside_what_nobody_signed_is_said_to_be_recorded_by_monitoring(growing) -> None:
    facts = facts_of(growing.incident, growing.entries, {}, growing.now_us, outside=True)
    templates = {"t.md": '{{ say("Exposed: {exposed}.") }}'}

    text = render("t.md", facts, templates=templates, outside=True)

    assert text == "Our monitoring recorded: exposed: 1,280. [e2]"


def test_templates_of_a_folder_take_the_place_of_ours(tmp_path) -> None:
    (tmp_path / "staff.md").write_text("# Ours")

    templates = templates_in(tmp_path)

    assert templates["staff.md"] == "# Ours"
    assert templates["board.md"] == templates_in()["board.md"]


def test_a_folder_that_is_not_there_is_said_so(tmp_path) -> None:
    with pytest.raises(TemplateError, match="must be a folder"):
        templates_in(tmp_path / "nowhere")

"""What the pages about telling people and learning show can be typed."""

import re
import shlex

import pytest

from monitor.cli import command_parser
from monitor.incidents.drafts.audiences import AUDIENCES, Audience
from monitor.incidents.drafts.fields import DEFINITIONS
from monitor.incidents.drafts.linter import lint
from monitor.incidents.drafts.rendering import templates_in
from monitor.incidents.postmortem.sections import SECTIONS
from monitor.incidents.regimes.library import regimes
from monitor.incidents.rights import RIGHTS

PAGES = ("docs/how-to/tell-people.md", "docs/how-to/write-a-post-mortem.md")


def lines_of(page) -> list[str]:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    return re.findall(r"^outputwatch (?:comms|postmortem) .*$", text, re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_every_command_of_the_page_is_one(repository, name) -> None:
    lines = lines_of(repository / name)

    assert len(lines) >= 5
    for line in lines:
        words = shlex.split(line.partition(" > ")[0])[1:]
        arguments = command_parser().parse_args(words)
        assert vars(arguments).get("regime") in {None, *regimes()}
        assert vars(arguments).get("field") in {None, *DEFINITIONS}
        assert vars(arguments).get("section") in {None, *SECTIONS}


def test_the_template_of_the_page_is_accepted(repository) -> None:
    page = (repository / PAGES[0]).read_text(encoding="utf-8")
    source = next(text for text in re.findall(r"```\n(.*?)```", page, re.DOTALL) if "say(" in text)

    templates = (*templates_in(), "contact.md")
    assert lint("page.md", source, fields=DEFINITIONS, templates=templates) == ()


@pytest.mark.parametrize("audience", AUDIENCES)
def test_the_page_names_who_decides(repository, audience) -> None:
    page = (repository / PAGES[0]).read_text(encoding="utf-8")
    row = next(
        line for line in page.splitlines() if line.startswith("| ") and audience.value in line
    )
    deciders = RIGHTS[AUDIENCES[audience].decision].deciders

    said = row.split("|")[2]
    if audience is Audience.STAFF:
        assert said.strip() == "anybody"
    else:
        assert set(re.findall(r"\w+", said)) - {"or"} == {role.value for role in deciders}

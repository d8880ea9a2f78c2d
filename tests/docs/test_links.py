"""Links lead somewhere, pages can be found, and words are those of the house."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from docs.generator.blocks import blocks
from monitor.config.load import load_configuration

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")], key=lambda page: page.as_posix()
)
NAMES = [page.relative_to(ROOT).as_posix() for page in PAGES]
every_page = pytest.mark.parametrize("page", PAGES, ids=NAMES)

_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_FENCED = re.compile(r"^```.*?^```\s*$", re.DOTALL | re.MULTILINE)


def links(page: Path) -> Iterator[str]:
    prose = _FENCED.sub("", page.read_text(encoding="utf-8"))
    yield from (target for target in _LINK.findall(prose) if "://" not in target)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as web pages of Markdown make them."""
    prose = _FENCED.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in kept}


@every_page
def test_every_link_leads_to_a_file_and_a_heading(page) -> None:
    broken = []
    for link in links(page):
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_page_can_be_reached_from_the_index() -> None:
    index = ROOT / "docs" / "index.md"
    reached, waiting = set(), [index]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        targets = {(page.parent / link.partition("#")[0]).resolve() for link in links(page)}
        waiting += [t for t in targets if t.suffix == ".md" and t.exists() and t not in reached]

    lost = {page for page in PAGES if ROOT / "docs" in page.parents} - reached
    assert lost == set()


CONFIGURATIONS = [
    pytest.param(block, id=f"{name}:{block.line}")
    for page, name in zip(PAGES, NAMES, strict=True)
    for block in blocks(page.read_text(encoding="utf-8"))
    if block.language == "yaml" and block.title and not block.title.endswith(".test.yaml")
]


@pytest.mark.parametrize("block", CONFIGURATIONS)
def test_every_complete_configuration_is_valid(block, tmp_path) -> None:
    path = tmp_path / block.title
    path.write_text(block.text, encoding="utf-8")

    configuration = load_configuration(path, environment={})

    assert configuration.detectors


def test_there_are_configurations_to_check() -> None:
    assert len(CONFIGURATIONS) >= 4


@every_page
def test_no_page_names_a_package_registry_or_an_unfinished_part(page) -> None:
    hosts = ["py" + "pi.org", "pythonhosted" + ".org", "conda" + ".anaconda", "artifact" + "ory"]
    text = page.read_text(encoding="utf-8").lower()

    found = [word for word in (*hosts, "to" + "do", "fix" + "me", "t" + "bd") if word in text]

    assert found == []


@every_page
def test_no_page_promises_what_no_monitor_can(page) -> None:
    text = page.read_text(encoding="utf-8").lower()

    found = [word for word in ("unbiased", "debias", "fair model", "proves") if word in text]

    assert found == []

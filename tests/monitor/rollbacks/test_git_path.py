import subprocess
from pathlib import Path

import pytest

from monitor.rollbacks.adapters.git_path import GitPath
from monitor.rollbacks.errors import MovedError, UnreadableError
from monitor.rollbacks.execution import EndState
from monitor.rollbacks.probes.command import CommandProbe
from tests.monitor.rollbacks.carrying_out import carried_out, plan_to, script

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    **{
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", "Dee"), ("EMAIL", "dee@localhost"))
    },
}


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


class Repository:
    """A bare repository, and somebody's clone of it."""

    def __init__(self, folder: Path) -> None:
        self.bare, self.clone = folder / "bare", folder / "clone"
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))
        git(folder, "clone", "--quiet", str(self.bare), str(self.clone))
        git(self.clone, "checkout", "--quiet", "-b", "main")

    def commit(self, **files: str) -> str:
        for name, text in files.items():
            path = self.clone / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(self.clone, "add", "--all")
        git(self.clone, "commit", "--quiet", "--message", "change")
        git(self.clone, "push", "--quiet", "origin", "main")
        return git(self.clone, "rev-parse", "HEAD")

    def show(self, path: str) -> str:
        return git(self.bare, "show", f"main:{path}")

    @property
    def head(self) -> str:
        return git(self.bare, "rev-parse", "main")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def adapter_of(repository: Repository, path: str = "prompts/system") -> GitPath:
    return GitPath(repository=str(repository.bare), path=path)


def test_one_path_is_restored_and_later_changes_to_others_stay(
    repository: Repository, tmp_path: Path
) -> None:
    good = repository.commit(prompts__system="be careful", readme="1")
    repository.commit(prompts__system="be bold")
    base = repository.commit(readme="2", prompts__other="kept")
    reads = script(
        tmp_path / "serving",
        f"#!/bin/sh\nexec /usr/bin/git --git-dir={repository.bare} show main:prompts/system\n",
    )

    plan = plan_to(
        adapter_of(repository), CommandProbe(program=reads), to=good, serving="be careful"
    )
    ended = carried_out(plan, tmp_path)

    assert ended.end is EndState.VERIFIED
    assert "-be bold" in ended.dry_run.text
    assert [repository.show(path) for path in ("prompts/system", "readme", "prompts/other")] == [
        "be careful",
        "2",
        "kept",
    ]
    assert git(repository.bare, "rev-parse", "main^") == base


def test_a_competing_push_is_refused_and_stays(repository: Repository) -> None:
    good = repository.commit(prompts__system="be careful")
    repository.commit(prompts__system="be bold")
    adapter = adapter_of(repository)
    expect = adapter.observe()
    theirs = repository.commit(prompts__system="be bolder")

    with pytest.raises(MovedError, match="must still end at"):
        adapter.apply(expect, good, key="k")

    assert repository.head == theirs


def test_a_push_that_lands_between_the_last_look_and_ours_is_refused_by_the_server(
    repository: Repository,
) -> None:
    good = repository.commit(prompts__system="be careful")
    base = repository.commit(prompts__system="be bold")

    with adapter_of(repository)._remote().fetched() as work:
        ours = work.restored(base, "prompts/system", good, "Restore")
        theirs = repository.commit(prompts__system="be bolder")
        with pytest.raises(MovedError, match="the push was refused"):
            work.push(ours, base)

    assert repository.head == theirs


def test_a_folder_is_restored_with_what_was_removed_and_without_what_was_added(
    repository: Repository,
) -> None:
    good = repository.commit(prompts__a="1", prompts__deep__b="2", readme="x")
    git(repository.clone, "rm", "--quiet", "prompts/a")
    repository.commit(prompts__c="3", prompts__deep__b="changed")
    adapter = adapter_of(repository, "prompts")
    before = adapter.observe()

    adapter.apply(before, good, key="k")

    listed = git(repository.bare, "ls-tree", "-r", "--name-only", "main").split()
    assert listed == ["prompts/a", "prompts/deep/b", "readme"]
    assert adapter.observe().value == adapter.diff(good).to_value != before.value


def test_coming_back_is_restoring_the_commit_that_was_observed(repository: Repository) -> None:
    good = repository.commit(prompts__system="be careful")
    repository.commit(prompts__system="be bold")
    adapter = adapter_of(repository)
    before = adapter.observe()
    adapter.apply(before, good, key="k")

    adapter.apply(adapter.observe(), before.reference, key="l")

    assert repository.show("prompts/system") == "be bold"


def test_a_commit_of_another_branch_is_refused(repository: Repository) -> None:
    repository.commit(prompts__system="be careful")
    git(repository.clone, "checkout", "--quiet", "-b", "side")
    (repository.clone / "prompts/system").write_text("be evil")
    git(repository.clone, "commit", "--quiet", "--all", "--message", "side")
    git(repository.clone, "push", "--quiet", "origin", "side")
    side = git(repository.clone, "rev-parse", "HEAD")

    with pytest.raises(UnreadableError):
        adapter_of(repository).diff(side)


def test_hooks_of_this_machine_do_not_run(repository: Repository, tmp_path: Path) -> None:
    good = repository.commit(prompts__system="be careful")
    repository.commit(prompts__system="be bold")
    (tmp_path / ".gitconfig").write_text("[core]\n\thooksPath = /nowhere\n[user]\n\tname = x\n")
    adapter = adapter_of(repository)

    adapter.apply(adapter.observe(), good, key="k")

    assert git(repository.bare, "log", "-1", "--format=%an %cn", "main") == (
        "outputwatch outputwatch"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"repository": "ext::sh -c id"}, "repository must be"),
        ({"repository": "--upload-pack=id"}, "repository must be"),
        ({"repository": "https://me:secret@host/x"}, "must hold no password"),
        ({"branch": "--force"}, "branch must begin"),
        ({"path": "/etc/passwd"}, "path must be relative"),
        ({"path": "a/../b"}, "path must be relative"),
        ({"token_file": "token"}, "token_file must be an absolute path"),
    ],
)
def test_options_that_git_could_take_for_others_are_refused(
    options: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        GitPath(**{"repository": "/srv/git/x", "path": "prompts", **options})


@pytest.mark.parametrize("to", ["--output=/tmp/x", "main;id", "$(id)", "HEAD~1^{tree}"])
def test_a_target_that_is_no_plain_reference_is_refused(to: str) -> None:
    with pytest.raises(ValueError, match="must begin with a letter or digit"):
        GitPath(repository="/srv/git/x", path="prompts").diff(to)

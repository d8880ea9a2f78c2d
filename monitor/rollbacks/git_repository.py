"""The plumbing of git: one path of one branch of a remote repository, without a work tree."""

import contextlib
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monitor.clock import SteadyClock
from monitor.rollbacks.errors import MovedError, OutcomeUnknownError, UnreadableError
from monitor.rollbacks.processes import Finished, run_program
from monitor.rollbacks.values import KEPT_BYTES

__all__ = ["GitRemote", "GitWork", "find_git"]

_PATH = "/usr/local/bin:/usr/bin:/bin"
_HEAD = "refs/outputwatch/head"
_LISTED_BYTES = 16 << 20
_STEADY = SteadyClock()


def find_git() -> str:
    """Return the absolute path of git.

    Raises
    ------
    UnreadableError
        If it is not installed.
    """
    found = shutil.which("git", path=_PATH)
    if found is None:
        message = f"git must be installed in one of {_PATH}; install it"
        raise UnreadableError(message)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class GitRemote:
    """A branch of a repository, and what it takes to get there.

    Parameters
    ----------
    url
        The repository: an absolute path, or an address over https or ssh.
    branch
        The branch.
    settings
        Settings of git for these calls, such as a header that carries a token. They are handed
        over in the environment, where other users cannot read them.
    ssh_key_file
        The private key for ssh; empty: none.
    secrets
        What is replaced in what git prints.
    timeout_seconds
        How long all calls together may take.
    """

    url: str
    branch: str
    settings: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    ssh_key_file: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)
    timeout_seconds: float

    @contextlib.contextmanager
    def fetched(self) -> Iterator["GitWork"]:
        """Give the branch, fetched into a bare repository that is gone afterwards.

        Raises
        ------
        UnreadableError
            If it cannot be fetched.
        """
        with tempfile.TemporaryDirectory(prefix="outputwatch-git-") as folder:
            work = GitWork(self, Path(folder), _STEADY.now_us())
            work.run("init", "--quiet", "--bare", folder)
            work.run(
                "fetch",
                "--quiet",
                "--no-tags",
                "--end-of-options",
                self.url,
                f"+refs/heads/{self.branch}:{_HEAD}",
            )
            yield work


class GitWork:
    """A bare repository with the fetched branch."""

    def __init__(self, remote: GitRemote, folder: Path, begun_us: int) -> None:
        self._remote = remote
        self._folder = folder
        self._git = find_git()
        self._until_us = begun_us + int(remote.timeout_seconds * 1_000_000)

    def head(self) -> str:
        """Return the commit at the end of the branch."""
        return self.run("rev-parse", "--verify", f"{_HEAD}^{{commit}}").strip()

    def commit(self, reference: str) -> str:
        """Return the whole id of a commit of the branch.

        Raises
        ------
        UnreadableError
            If the branch has no such commit.
        """
        found = self.run("rev-parse", "--verify", "--end-of-options", f"{reference}^{{commit}}")
        # With --end-of-options, old versions of git print it too.
        commit = found.split()[-1]
        if self.call("merge-base", "--is-ancestor", commit, _HEAD).status != 0:
            message = f"the commit {reference!r} must be part of the branch; name another"
            raise UnreadableError(message)
        return commit

    def entry(self, commit: str, path: str) -> tuple[str, str, str] | None:
        """Return mode, type and object id of a path in a commit, None if it is not there."""
        listed = self.run("ls-tree", "-z", commit, "--", path)
        if not listed:
            return None
        mode, kind, rest = listed.split("\0", 1)[0].split(" ", 2)
        return mode, kind, rest.partition("\t")[0]

    def last_change(self, path: str) -> str:
        """Return the commit that changed a path last."""
        found = self.run("rev-list", "--max-count=1", _HEAD, "--", path).strip()
        return found or self.head()

    def changes(self, before: str, after: str, path: str) -> str:
        """Return the differences of a path between two commits."""
        options = ("--no-color", "--no-ext-diff", "--no-textconv", "--no-renames")
        finished = self.call("diff", *options, before, after, "--", path)
        if finished.status != 0 or finished.timed_out:
            message = f"git diff must succeed; {finished.in_words()}"
            raise UnreadableError(message)
        return finished.output[:KEPT_BYTES]

    def restored(self, base: str, path: str, source: str, message: str) -> str:
        """Return a new commit on `base` that has `path` as `source` has it, and nothing else."""
        entry = self.entry(source, path)
        parts = path.split("/")
        for depth in range(len(parts) - 1, -1, -1):
            folder = "/".join(parts[:depth])
            entry = self._tree_with(base, folder, parts[depth], entry)
        assert entry is not None
        return self.run("commit-tree", entry[2], "-p", base, "-m", message).strip()

    def push(self, commit: str, base: str) -> None:
        """Put a commit at the end of the branch if `base` still is.

        Raises
        ------
        MovedError
            If it is not.
        OutcomeUnknownError
            If it cannot be told whether the commit arrived.
        """
        target = f"refs/heads/{self._remote.branch}"
        finished = self.call(
            "push",
            "--porcelain",
            "--no-verify",
            f"--force-with-lease={target}:{base}",
            self._remote.url,
            f"{commit}:{target}",
        )
        if finished.status == 0:
            return
        if any(line.startswith("!") for line in finished.output.splitlines()):
            message = (
                f"the branch {self._remote.branch!r} must still end at {base}; the push was "
                f"refused: {finished.output.strip()!r}; look at the change and plan anew"
            )
            raise MovedError(message)
        message = f"the push must end with status 0; {finished.in_words()}"
        raise OutcomeUnknownError(message)

    def run(self, *arguments: str, stdin: str = "") -> str:
        """Return what git prints.

        Raises
        ------
        UnreadableError
            If it fails.
        """
        finished = self.call(*arguments, stdin=stdin)
        if finished.status != 0 or finished.timed_out:
            message = f"git {arguments[0]} must succeed; {finished.in_words()}"
            raise UnreadableError(message)
        if finished.truncated:
            message = f"git {arguments[0]} must print at most {_LISTED_BYTES} bytes"
            raise UnreadableError(message)
        return finished.output

    def call(self, *arguments: str, stdin: str = "") -> Finished:
        """Return how git ended."""
        left = (self._until_us - _STEADY.now_us()) / 1_000_000
        return run_program(
            [self._git, *arguments],
            timeout_seconds=max(left, 0.1),
            environment=self._environment(),
            stdin=stdin.encode(),
            secrets=self._remote.secrets,
            kept_bytes=_LISTED_BYTES,
        )

    def _tree_with(
        self, base: str, folder: str, name: str, entry: tuple[str, str, str] | None
    ) -> tuple[str, str, str] | None:
        """Return the entry of a folder in which one name stands for another object, or none."""
        there = self.entry(base, folder) if folder else ("040000", "tree", f"{base}^{{tree}}")
        listed: Sequence[str] = ()
        if there is not None and there[1] == "tree":
            listed = self.run("ls-tree", "-z", there[2]).split("\0")[:-1]
        kept = [line for line in listed if line.partition("\t")[2] != name]
        if entry is not None:
            kept.append(f"{entry[0]} {entry[1]} {entry[2]}\t{name}")
        if not kept and folder:
            return None
        made = self.run("mktree", "-z", "--missing", stdin="\0".join([*kept, ""]) or "\0").strip()
        return "040000", "tree", made

    def _environment(self) -> dict[str, str]:
        """Return an environment in which no setting or hook of this machine has a say."""
        settings = (
            ("core.hooksPath", "/dev/null"),
            ("credential.helper", ""),
            ("protocol.allow", "never"),
            *((f"protocol.{name}.allow", "always") for name in ("file", "https", "ssh")),
            *self._remote.settings,
        )
        environment = {
            "PATH": _PATH,
            "HOME": str(self._folder),
            "GIT_DIR": str(self._folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_AUTHOR_NAME": "outputwatch",
            "GIT_AUTHOR_EMAIL": "outputwatch@localhost",
            "GIT_COMMITTER_NAME": "outputwatch",
            "GIT_COMMITTER_EMAIL": "outputwatch@localhost",
            "GIT_CONFIG_COUNT": str(len(settings)),
        }
        for number, (key, value) in enumerate(settings):
            environment[f"GIT_CONFIG_KEY_{number}"] = key
            environment[f"GIT_CONFIG_VALUE_{number}"] = value
        ssh = ["ssh", "-o", "BatchMode=yes"]
        if self._remote.ssh_key_file:
            ssh += ["-o", "IdentitiesOnly=yes", "-i", self._remote.ssh_key_file]
        environment["GIT_SSH_COMMAND"] = shlex.join(ssh)
        return environment

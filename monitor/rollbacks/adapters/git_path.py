"""A file or folder in a git repository, from which something else deploys."""

import base64
import re
from dataclasses import dataclass
from typing import Annotated, ClassVar

import annotated_types as at

from monitor.rollbacks.adapter import Applied, Diff, Observed, rollback_adapter
from monitor.rollbacks.errors import MovedError, UnreadableError
from monitor.rollbacks.git_repository import GitRemote, GitWork
from monitor.rollbacks.values import check_absolute, check_reference, read_secret

__all__ = ["GitPath"]

_REPOSITORY = re.compile(r"(?:/|https://|ssh://)[A-Za-z0-9._~:/@%+-]+")
_ABSENT = "absent"


@rollback_adapter
@dataclass(frozen=True, slots=True, kw_only=True)
class GitPath:
    """Restores one path to what it was in an earlier commit of the branch, by one new commit.

    Later changes to other paths stay. The commit is pushed only if the branch still ends where
    it did when it was read; nothing is merged, and no history is rewritten. What is identified
    is the content: the id of the file's blob or the folder's tree.

    Parameters
    ----------
    repository
        An absolute path, or an address that begins with ``https://`` or ``ssh://``.
    branch
        The branch that is deployed.
    path
        The file or folder in the repository.
    username
        The user for a token over https.
    token_file
        A file with the token for https; empty: none.
    ssh_key_file
        The private key for ssh; empty: none.
    timeout_seconds
        How long reading or pushing may take as a whole.
    """

    name: ClassVar[str] = "git_path"
    repository: Annotated[str, at.MinLen(1)]
    branch: Annotated[str, at.MinLen(1)] = "main"
    path: Annotated[str, at.MinLen(1)]
    username: str = "git"
    token_file: str = ""
    ssh_key_file: str = ""
    timeout_seconds: Annotated[float, at.Gt(0), at.Le(300)] = 60.0

    def __post_init__(self) -> None:
        """Refuse what git would take for something else.

        Raises
        ------
        ValueError
            If the repository, the branch or the path could not be right.
        """
        if _REPOSITORY.fullmatch(self.repository) is None:
            message = (
                "repository must be an absolute path or begin with 'https://' or 'ssh://', got "
                f"{self.repository!r}"
            )
            raise ValueError(message)
        if self.repository.startswith("https://") and "@" in self.repository:
            message = "repository must hold no password; name a file with token_file"
            raise ValueError(message)
        check_reference(self.branch, "branch")
        parts = self.path.split("/")
        if not self.path.isprintable() or any(part in ("", ".", "..") for part in parts):
            message = f"path must be relative to the repository, without '..', got {self.path!r}"
            raise ValueError(message)
        for option, file in (("token_file", self.token_file), ("ssh_key_file", self.ssh_key_file)):
            if file:
                check_absolute(file, option)

    def observe(self) -> Observed:
        """Return the id of the path's content at the end of the branch."""
        with self._remote().fetched() as work:
            head = work.head()
            detail = {"head": head, "last_change": work.last_change(self.path)}
            return Observed(
                value=self._content(work, head), reference=head, revision=head, detail=detail
            )

    def diff(self, to: str) -> Diff:
        """Return the differences of the path between now and a commit of the branch."""
        check_reference(to)
        with self._remote().fetched() as work:
            head, commit = work.head(), work.commit(to)
            before, after = self._content(work, head), self._content(work, commit)
            if after == _ABSENT:
                message = f"the commit {to!r} must have the path {self.path!r}; name another"
                raise UnreadableError(message)
            lines = [
                f"git {self.repository}, branch {self.branch!r}, path {self.path!r}: back to "
                f"commit {commit}",
                work.changes(head, commit, self.path).rstrip(),
            ]
            return Diff(from_value=before, to_value=after, text="\n".join(lines).rstrip())

    def apply(self, expect: Observed, to: str, *, key: str) -> Applied:
        """Push a commit that restores the path, if the branch still ends where it did."""
        check_reference(to)
        with self._remote().fetched() as work:
            head = work.head()
            if head != expect.revision:
                message = (
                    f"the branch {self.branch!r} must still end at {expect.revision}, found "
                    f"{head}; look at the change and plan anew"
                )
                raise MovedError(message)
            commit = work.commit(to)
            told = f"Restore {self.path} to {commit}\n\nRollback {key}."
            made = work.restored(head, self.path, commit, told)
            work.push(made, head)
            return Applied(revision=made, detail={"commit": made})

    def _content(self, work: GitWork, commit: str) -> str:
        entry = work.entry(commit, self.path)
        return _ABSENT if entry is None else entry[2]

    def _remote(self) -> GitRemote:
        token = read_secret(self.token_file)
        settings: tuple[tuple[str, str], ...] = ()
        secrets: tuple[str, ...] = ()
        if token:
            pair = base64.b64encode(f"{self.username}:{token}".encode()).decode()
            settings = (("http.extraHeader", f"Authorization: Basic {pair}"),)
            secrets = (token, pair)
        return GitRemote(
            url=self.repository,
            branch=self.branch,
            settings=settings,
            ssh_key_file=self.ssh_key_file,
            secrets=secrets,
            timeout_seconds=self.timeout_seconds,
        )

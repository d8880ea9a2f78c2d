"""A flag in a file of flag definitions, as flagd and the OpenFeature providers read it."""

import contextlib
import fcntl
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

import annotated_types as at

from monitor.rollbacks.adapter import Applied, Diff, Observed, rollback_adapter
from monitor.rollbacks.errors import MovedError, NotAppliedError, UnreadableError
from monitor.rollbacks.values import check_absolute, check_reference

__all__ = ["FlagFile"]

_MAX_BYTES = 16 << 20


@rollback_adapter
@dataclass(frozen=True, slots=True, kw_only=True)
class FlagFile:
    """Switches the default variant of a flag in a file of flag definitions [1]_.

    The file is replaced by rename, so that no reader sees half of it, and only if its bytes
    are still the ones that were read.

    Parameters
    ----------
    path
        The file, absolute. A link is followed: the file it points to is replaced.
    flag
        The key of the flag.
    timeout_seconds
        How long to wait for another rollback that writes the same file.

    References
    ----------
    .. [1] flagd, Flag definitions, https://flagd.dev/reference/flag-definitions/
    """

    name: ClassVar[str] = "flag_file"
    path: str
    flag: Annotated[str, at.MinLen(1)]
    timeout_seconds: Annotated[float, at.Gt(0), at.Le(60)] = 5.0

    def __post_init__(self) -> None:
        """Refuse a path that is not absolute.

        Raises
        ------
        ValueError
            If it is not.
        """
        check_absolute(self.path, "path")

    def observe(self) -> Observed:
        """Return the default variant, with a sha256 of the file as its revision."""
        content = self._content()
        flag = self._flag(self._document(content))
        variant = str(flag["defaultVariant"])
        detail = {"state": flag.get("state", "ENABLED"), "value": flag["variants"].get(variant)}
        return Observed(value=variant, reference=variant, revision=_digest(content), detail=detail)

    def diff(self, to: str) -> Diff:
        """Return the variants of now and of after with their values, and what goes before them."""
        check_reference(to)
        flag = self._flag(self._document(self._content()))
        now, variants = str(flag["defaultVariant"]), flag["variants"]
        if to not in variants:
            message = f"the flag {self.flag!r} has no variant {to!r}; it has {', '.join(variants)}"
            raise UnreadableError(message)
        lines = [
            f"flag {self.flag!r} in {self.path}: default variant {now!r} -> {to!r}",
            f"- {json.dumps(variants.get(now), sort_keys=True, ensure_ascii=False)}",
            f"+ {json.dumps(variants[to], sort_keys=True, ensure_ascii=False)}",
        ]
        if flag.get("state", "ENABLED") != "ENABLED":
            lines.append("the flag is disabled: programs use their own default, not this variant")
        if flag.get("targeting"):
            lines.append("the flag has targeting rules: where one matches, it goes before this")
        return Diff(from_value=now, to_value=to, text="\n".join(lines))

    def apply(self, expect: Observed, to: str, *, key: str) -> Applied:  # noqa: ARG002 - the protocol has it
        """Replace the file if its bytes are still those that were observed."""
        try:
            with self._alone():
                content = self._content()
                self._check_unmoved(content, expect)
                document = self._document(content)
                flag = self._flag(document)
                if to not in flag["variants"]:
                    message = f"the flag {self.flag!r} has no variant {to!r} any more"
                    raise NotAppliedError(message)
                flag["defaultVariant"] = to
                written = _as_written(document, content)
                self._replace(written, expect)
        except (OSError, UnreadableError) as error:
            message = f"the file {self.path!r} was not written: {error}"
            raise NotAppliedError(message) from error
        return Applied(revision=_digest(written))

    def _check_unmoved(self, content: bytes, expect: Observed) -> None:
        if _digest(content) != expect.revision:
            message = (
                f"the file {self.path!r} must be as it was read, found other bytes; look at the "
                "change and plan anew"
            )
            raise MovedError(message)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other rollbacks of this file out; other programs do not know of this."""
        import time

        folder = Path(self.path).resolve().parent
        descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        try:
            for _ in range(max(1, int(self.timeout_seconds / 0.05))):
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                time.sleep(0.05)
            else:
                message = f"another rollback holds the folder {str(folder)!r}; try again"
                raise NotAppliedError(message)
            yield
        finally:
            os.close(descriptor)

    def _replace(self, written: bytes, expect: Observed) -> None:
        target = Path(self.path).resolve()
        before = target.stat()
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(written)
                file.flush()
                os.fchmod(file.fileno(), before.st_mode & 0o7777)
                with contextlib.suppress(PermissionError):
                    os.fchown(file.fileno(), before.st_uid, before.st_gid)
                os.fsync(file.fileno())
            self._check_unmoved(target.read_bytes(), expect)
            Path(name).replace(target)
        finally:
            Path(name).unlink(missing_ok=True)

    def _content(self) -> bytes:
        try:
            with Path(self.path).open("rb") as file:
                content = file.read(_MAX_BYTES + 1)
        except OSError as error:
            message = f"the flag file {self.path!r} cannot be read: {error.strerror}"
            raise UnreadableError(message) from error
        if len(content) > _MAX_BYTES:
            message = f"the flag file {self.path!r} must be at most {_MAX_BYTES} bytes"
            raise UnreadableError(message)
        return content

    def _document(self, content: bytes) -> dict[str, Any]:
        try:
            document = json.loads(content, object_pairs_hook=_once)
        except ValueError as error:
            message = f"the flag file {self.path!r} must be JSON: {error}"
            raise UnreadableError(message) from error
        if not isinstance(document, dict):
            message = f"the flag file {self.path!r} must hold an object"
            raise UnreadableError(message)
        return document

    def _flag(self, document: Mapping[str, Any]) -> dict[str, Any]:
        flags = document.get("flags")
        flag = flags.get(self.flag) if isinstance(flags, dict) else None
        if not isinstance(flag, dict) or not isinstance(flag.get("variants"), dict):
            message = f"the flag file {self.path!r} must have the flag {self.flag!r} with variants"
            raise UnreadableError(message)
        if not isinstance(flag.get("defaultVariant"), str):
            message = f"the flag {self.flag!r} must have a 'defaultVariant'; it has none"
            raise UnreadableError(message)
        return flag


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; a name that is given twice would be lost when the file is written."""
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "an object gives the same name twice"
        raise ValueError(message)
    return found


def _as_written(document: Mapping[str, Any], before: bytes) -> bytes:
    """Return the document in the indentation that it had."""
    lines = before.decode("utf-8").splitlines()
    second = lines[1] if len(lines) > 1 else ""
    indent = second[: len(second) - len(second.lstrip())] or None
    end = "\n" if before.endswith(b"\n") else ""
    return (json.dumps(document, indent=indent, ensure_ascii=False) + end).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()

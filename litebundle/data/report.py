"""What a check of a data set found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from litebundle.data.manifest import MANIFEST

Level = Literal["error", "note"]
Rule = Literal[
    "empty",
    "missing_file",
    "unlisted_file",
    "changed_file",
    "unreadable",
    "count",
    "answer",
    "duplicate",
    "leak",
    "similar",
    "similar_leak",
    "same_answer",
]


@dataclass(frozen=True)
class Finding:
    """One broken rule (error) or something to look at (note), with the files it is about, relative to the folder."""

    level: Level
    rule: Rule
    files: tuple[str, ...]
    message: str


@dataclass(frozen=True)
class KindCount:
    """Samples of a kind in a part: wanted, and present as listed files that are there."""

    kind: str
    part: str
    wanted: int
    present: int

    @property
    def missing(self) -> int:
        return max(0, self.wanted - self.present)


@dataclass(frozen=True)
class UnlistedFile:
    """A file that the manifest does not mention."""

    file: str
    sha256: str


@dataclass(frozen=True)
class DataReport:
    """The wish list of kinds against what is there, and every broken rule."""

    folder: Path
    name: str
    kinds: tuple[KindCount, ...]
    findings: tuple[Finding, ...]
    unlisted: tuple[UnlistedFile, ...]

    @property
    def errors(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if finding.level == "error")

    @property
    def missing(self) -> int:
        """Samples that are wanted and not there, over all kinds and parts."""
        return sum(count.missing for count in self.kinds)

    @property
    def ok(self) -> bool:
        """No broken rule and nothing missing."""
        return not self.errors and not self.missing

    def entries_to_add(self) -> str:
        """TOML for the manifest, one [[sample]] per unlisted file of a part, with the answer left to write.

        The kind is the name of the file's folder.
        """
        return "\n".join(
            f'[[sample]]\nfile = "{found.file}"\npart = "{found.file.split("/")[0]}"\n'
            f'kind = "{found.file.split("/")[-2]}"\nsha256 = "{found.sha256}"\nanswer = {{ items = [] }}\n'
            for found in self.unlisted
            if found.file.count("/") >= 2
        )

    def to_json(self) -> Mapping[str, Any]:
        return {
            "format_version": 1,
            "folder": str(self.folder),
            "manifest": MANIFEST,
            "name": self.name,
            "ok": self.ok,
            "missing": self.missing,
            "kinds": [asdict(count) | {"missing": count.missing} for count in self.kinds],
            "findings": [asdict(finding) | {"files": list(finding.files)} for finding in self.findings],
            "unlisted": [asdict(found) for found in self.unlisted],
        }

"""Comparing a data set with its manifest: what is wanted, what is there, and what must not be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from litebundle.data.manifest import MANIFEST, PARTS, Manifest, Sample, read_manifest
from litebundle.data.report import DataReport, Finding, KindCount, UnlistedFile
from litebundle.data.similarity import Thumbnail, similar_pairs, thumbnail
from litebundle.errors import LitebundleError
from litebundle.files import digest_file


@dataclass(frozen=True)
class _Look:
    """What is kept of a decoded picture."""

    width: int
    height: int
    thumbnail: Thumbnail


def check_dataset(folder: Path) -> DataReport:
    """Check a data set: counts per kind, files, digests, pictures, answers, duplicates, leaks between the parts.

    Args:
        folder: The data set's folder, with manifest.toml and the folders calibrate and validate.

    Raises:
        LitebundleError: There is no manifest, or it breaks the rules of docs/data.md.
    """
    manifest = read_manifest(folder)
    there = [sample for sample in manifest.sample if (folder / sample.file).is_file()]
    digests = {sample.file: digest_file(folder / sample.file) for sample in there}
    unlisted = _unlisted(folder, manifest)
    looks, unreadable = _look(folder, there)
    findings = [
        *_empty_parts(there),
        *_missing_files(manifest, there),
        *_changed_files(there, digests),
        *unreadable,
        *_boxes_outside(there, looks),
        *_stale_counts(manifest, there),
        *_duplicates(there, digests),
        *_similar(there, digests, looks),
        *_same_answers(there),
        *_unlisted_files(unlisted),
    ]
    return DataReport(
        folder=folder,
        name=manifest.name,
        kinds=tuple(_counts(manifest, there)),
        findings=tuple(findings),
        unlisted=tuple(unlisted),
    )


def _counts(manifest: Manifest, there: Sequence[Sample]) -> Iterator[KindCount]:
    for name, kind in manifest.kinds.items():
        for part in PARTS:
            present = sum(sample.kind == name and sample.part == part for sample in there)
            yield KindCount(name, part, kind.wanted.of(part), present)


def _unlisted(folder: Path, manifest: Manifest) -> list[UnlistedFile]:
    listed = {sample.file for sample in manifest.sample}
    files = sorted(path for part in PARTS for path in (folder / part).rglob("*") if path.is_file())
    names = [(path.relative_to(folder).as_posix(), path) for path in files if not path.name.startswith(".")]
    return [UnlistedFile(name, digest_file(path)) for name, path in names if name not in listed]


def _look(folder: Path, samples: Iterable[Sample]) -> tuple[Mapping[str, _Look], list[Finding]]:
    """Every picture that can be read, by file, and a finding for every other."""
    from litebundle.run import read_image

    looks: dict[str, _Look] = {}
    findings: list[Finding] = []
    for sample in samples:
        try:
            picture = read_image(folder / sample.file)
        except LitebundleError as error:
            findings.append(Finding("error", "unreadable", (sample.file,), str(error)))
        else:
            height, width, _ = picture.shape
            looks[sample.file] = _Look(width, height, thumbnail(picture))
    return looks, findings


def _empty_parts(there: Sequence[Sample]) -> Iterator[Finding]:
    for part in PARTS:
        if not any(sample.part == part for sample in there):
            yield Finding("error", "empty", (), f"part {part!r} has no samples; nothing can be built from it")


def _missing_files(manifest: Manifest, there: Sequence[Sample]) -> Iterator[Finding]:
    found = {sample.file for sample in there}
    for sample in manifest.sample:
        if sample.file not in found:
            yield Finding(
                "error",
                "missing_file",
                (sample.file,),
                f"{sample.file} is listed but not there; restore the file or remove its [[sample]]",
            )


def _unlisted_files(unlisted: Sequence[UnlistedFile]) -> Iterator[Finding]:
    for found in unlisted:
        yield Finding(
            "error",
            "unlisted_file",
            (found.file,),
            f"{found.file} is there but not in {MANIFEST}; add a [[sample]] with its answer or remove the file",
        )


def _changed_files(there: Sequence[Sample], digests: Mapping[str, str]) -> Iterator[Finding]:
    for sample in there:
        if digests[sample.file] != sample.sha256:
            yield Finding(
                "error",
                "changed_file",
                (sample.file,),
                f"{sample.file} has SHA-256 {digests[sample.file]}, the manifest says {sample.sha256}; restore the "
                "file, or correct digest and answer if the change is meant",
            )


def _boxes_outside(there: Sequence[Sample], looks: Mapping[str, _Look]) -> Iterator[Finding]:
    for sample in there:
        look = looks.get(sample.file)
        for item in sample.answer.items:
            if look and item.box and (item.box[2] > look.width or item.box[3] > look.height):
                yield Finding(
                    "error",
                    "answer",
                    (sample.file,),
                    f"{sample.file}: box {list(item.box)} leaves the picture, {look.width} x {look.height} pixels; "
                    "boxes are x0, y0, x1, y1 in pixels of the upright picture",
                )


def _stale_counts(manifest: Manifest, there: Sequence[Sample]) -> Iterator[Finding]:
    for count in _counts(manifest, there):
        stated = manifest.kinds[count.kind].present.of(count.part)
        if stated != count.present:
            yield Finding(
                "error",
                "count",
                (),
                f"kind {count.kind!r}: the manifest says {stated} present in {count.part}, there are {count.present}; "
                f"write present = {{ {count.part} = {count.present} }}",
            )


def _duplicates(there: Sequence[Sample], digests: Mapping[str, str]) -> Iterator[Finding]:
    by_digest: dict[str, list[Sample]] = defaultdict(list)
    for sample in there:
        by_digest[digests[sample.file]].append(sample)
    for same in by_digest.values():
        if len(same) > 1:
            files = tuple(sample.file for sample in same)
            if _is_leak(same):
                text = "are the same file in both parts; what ranges are taken from cannot also judge them"
                yield Finding("error", "leak", files, f"{' and '.join(files)} {text}, remove one")
            else:
                text = "are the same file; a repeated picture counts twice"
                yield Finding("error", "duplicate", files, f"{' and '.join(files)} {text}, remove all but one")


def _similar(there: Sequence[Sample], digests: Mapping[str, str], looks: Mapping[str, _Look]) -> Iterator[Finding]:
    seen = [sample for sample in there if sample.file in looks]
    for i, j in similar_pairs([looks[sample.file].thumbnail for sample in seen]):
        a, b = seen[i], seen[j]
        if digests[a.file] == digests[b.file]:
            continue
        if _is_leak((a, b)):
            text = "show nearly the same in both parts; remove or replace one"
            yield Finding("error", "similar_leak", (a.file, b.file), f"{a.file} and {b.file} {text}")
        else:
            text = "show nearly the same; look whether both are wanted"
            yield Finding("note", "similar", (a.file, b.file), f"{a.file} and {b.file} {text}")


def _same_answers(there: Sequence[Sample]) -> Iterator[Finding]:
    """Samples of both parts with the same set of texts, which may well be meant: short answers recur."""
    by_texts: dict[frozenset[str], list[Sample]] = defaultdict(list)
    for sample in there:
        texts = frozenset(item.text for item in sample.answer.items if item.text is not None)
        if texts:
            by_texts[texts].append(sample)
    for texts, same in by_texts.items():
        if _is_leak(same):
            files = tuple(sample.file for sample in same)
            shown = ", ".join(sorted(texts))
            yield Finding(
                "note", "same_answer", files, f"{' and '.join(files)} have the same answer in both parts: {shown}"
            )


def _is_leak(samples: Iterable[Sample]) -> bool:
    return len({sample.part for sample in samples}) > 1

"""tests/vectors/bundle holds what this reader decides; other languages are held to it."""

from __future__ import annotations

from litebundle.bundle import Bundle
from tests.litebundle.bundle.make_vectors import FOLDER, make


def test_vectors_are_current(tmp_path):
    make(tmp_path)
    for path in tmp_path.iterdir():
        published = FOLDER / path.name
        assert path.read_bytes() == published.read_bytes(), (
            f"{published} is of another reader: python -m tests.litebundle.bundle.make_vectors"
        )


def test_small_bundle_opens():
    Bundle.open(FOLDER / "small.litebundle").close()

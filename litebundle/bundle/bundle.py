"""An open bundle: checked, with its models loaded, ready to run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from litebundle.bundle.container import Container, open_container
from litebundle.bundle.integrity import check_integrity, read_graph, read_labels
from litebundle.bundle.manifest import Manifest, Stage
from litebundle.bundle.stages import load_stage
from litebundle.bundle.verify import Verification, verify_golden
from litebundle.errors import LitebundleError
from litebundle.graph import Graph
from litebundle.run import LiteRTModel, Result, Runner, Tap, read_image
from litebundle.run.model import Array


class Bundle:
    """A bundle whose every byte was checked when it was opened; use it in a `with`, or `close` it.

    `manifest`, `graph` and `read` may be used from several threads; `run` and `verify` use the interpreters' memory
    and take one thread at a time: open the bundle once per thread to run it in several.
    """

    def __init__(self, path: Path, container: Container, threads: int) -> None:
        self.path = path
        self._container = container
        self.manifest: Manifest = check_integrity(container, path)
        self.graph: Graph = read_graph(self.manifest, path)
        labels = read_labels(container, self.graph, path)
        self.models: Mapping[str, LiteRTModel] = {
            stage.name: load_stage(stage, container.read(stage.file), threads, path) for stage in self.manifest.stages
        }
        try:
            self._runner = Runner(self.graph, self.models, labels)
        except ValueError as error:
            raise LitebundleError(f"{path}: its graph cannot be run: {error}") from error
        except LitebundleError as error:
            raise LitebundleError(f"{path}: {error}") from error
        self.labels = labels

    @classmethod
    def open(cls, path: Path | str, *, threads: int = 1) -> Bundle:
        """Open the bundle at `path`, a file or a folder, and check all of it but its golden vectors.

        Args:
            path: The bundle.
            threads: How many threads each stage's interpreter may use.

        Raises:
            LitebundleError: There is no bundle, or it is damaged, of another major version, or cannot be run here;
                the message names the file in it and what is wrong.
        """
        path = Path(path)
        container = open_container(path)
        try:
            return cls(path, container, threads)
        except BaseException:
            container.close()
            raise

    @property
    def stages(self) -> tuple[Stage, ...]:
        return self.manifest.stages

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all files in the bundle."""
        return self._container.names

    @property
    def size_bytes(self) -> int:
        """Size of the file; of all files where the bundle is a folder."""
        if self.path.is_file():
            return self.path.stat().st_size
        return sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file())

    def read(self, name: str) -> memoryview:
        """A file's bytes, without a copy; valid until the bundle is closed.

        Raises:
            LitebundleError: The bundle has no such file.
        """
        if name not in self._container.names:
            raise LitebundleError(f"{self.path}: there is no file {name!r}; see manifest.files for what there is")
        return self._container.read(name)

    def run(self, image: Array | Path | str, *, tap: Tap | None = None) -> Result:
        """Run the pipeline on a photo: uint8 [H, W, 3] RGB, or the path of a picture file.

        Raises:
            LitebundleError: Not a picture, or a stage cannot take what the stages before it made of it.
        """
        photo = read_image(image) if isinstance(image, Path | str) else image
        return self._runner.run(photo, tap=tap)

    def verify(self) -> Verification:
        """Run the golden vectors on this machine.

        Raises:
            LitebundleError: A golden vector does not fit its stage.
        """
        try:
            return verify_golden(self._container, self.manifest, self.models, self._runner)
        except LitebundleError as error:
            raise LitebundleError(f"{self.path}: {error}") from error

    def close(self) -> None:
        """Let go of the file. Views that `read` gave must not be used any more."""
        self._container.close()

    def __enter__(self) -> Bundle:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

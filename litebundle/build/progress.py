"""Progress of long work: a bar on a terminal, plain lines in a log; always on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

Advance = Callable[[int], None]


class Progress(Protocol):
    """Where a build says what it is doing."""

    def step(self, title: str, total: int | None = None) -> AbstractContextManager[Advance]:
        """A context manager around one piece of work; yields a function to call with each advance."""
        ...

    def note(self, text: str) -> None:
        """One line that stays."""
        ...


class LogProgress:
    """Plain lines: one when a step begins to take long, one when it ends."""

    interval_s = 10.0

    def note(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    @contextmanager
    def step(self, title: str, total: int | None = None) -> Iterator[Advance]:
        start = said = time.monotonic()
        done = 0

        def advance(count: int) -> None:
            nonlocal done, said
            done += count
            if time.monotonic() - said > self.interval_s:
                said = time.monotonic()
                self.note(f"{title}: {done}{f'/{total}' if total else ''}")

        yield advance
        self.note(f"{title}: {time.monotonic() - start:.1f} s")


class TerminalProgress:
    """One bar at a time, replaced by a line with its duration when the step ends."""

    def note(self, text: str) -> None:
        from rich.console import Console

        Console(stderr=True, highlight=False).print(text, markup=False)

    @contextmanager
    def step(self, title: str, total: int | None = None) -> Iterator[Advance]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        start = time.monotonic()
        columns = [SpinnerColumn(), TextColumn("{task.description}", markup=False)]
        counted = [BarColumn(), MofNCompleteColumn()] if total else []
        console = Console(stderr=True)
        with Bar(*columns, *counted, TimeElapsedColumn(), transient=True, console=console) as bar:
            task = bar.add_task(title, total=total)
            yield lambda count: bar.advance(task, count)
        self.note(f"{title}: {time.monotonic() - start:.1f} s")


def default_progress() -> Progress:
    """A bar when a person looks at stderr, lines otherwise."""
    return TerminalProgress() if sys.stderr.isatty() else LogProgress()

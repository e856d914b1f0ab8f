"""docs/cli.md against the command line."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from litebundle.cli import VERBS, cli

PAGE = Path(__file__).parents[3] / "docs" / "cli.md"


def section(verb: str) -> str:
    found = re.search(rf"^### {verb}\b.*?(?=^##)", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found, f"docs/cli.md has no section on {verb}"
    return found.group()


@pytest.mark.parametrize("verb", VERBS)
def test_every_option_is_documented(verb: str) -> None:
    command = cli.get_command(click.Context(cli), verb)
    text = section(verb)
    for each in command.commands.values() if isinstance(command, click.Group) else [command]:
        for parameter in each.params:
            if isinstance(parameter, click.Option) and parameter.name != "as_json":
                assert all(option in text for option in parameter.opts), parameter.opts
    assert f"\n    litebundle {verb} " in text, "an example"


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", PAGE.read_text(encoding="utf-8"))
    assert len(links) > 15
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []

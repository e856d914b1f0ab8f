"""TOML files with errors that say file, line, table, rule and way out."""

from __future__ import annotations

from litebundle.toml.nearest import nearest as nearest
from litebundle.toml.positions import Loc as Loc
from litebundle.toml.problems import Problem as Problem
from litebundle.toml.problems import from_validation as from_validation
from litebundle.toml.reader import TomlFile as TomlFile
from litebundle.toml.reader import read_toml as read_toml

"""Problems of a TOML file, each told with file, line, table, rule and way out, all in one error."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from litebundle.errors import LitebundleError
from litebundle.toml.nearest import nearest
from litebundle.toml.positions import Loc

# Keys that the models know under another name than the file may use.
_SINGULAR = {"inputs": "input"}

_WANTED = {
    "string_type": 'a text in quotes ("...")',
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list [...]",
    "mapping_type": "a table { ... }",
    "dict_type": "a table { ... }",
    "model_type": "a table { ... }",
    "model_attributes_type": "a table { ... }",
}

_LIMITS = {
    "greater_than": "more than",
    "greater_than_equal": "at least",
    "less_than": "less than",
    "less_than_equal": "at most",
}


@dataclass(frozen=True)
class Problem:
    """One broken rule and the place in the file (keys and indices from the top)."""

    loc: Loc
    message: str


def from_validation(error: ValidationError, model: type[BaseModel], prefix: Loc = ()) -> list[Problem]:
    """pydantic's findings in our words; `prefix` is where the validated table sits in the file."""
    problems = []
    for detail in error.errors(include_url=False):
        # A union's or a key's marker ("[key]", "function-after[...]") is no place in the file.
        loc = tuple(part for part in detail["loc"] if isinstance(part, int) or "[" not in part)
        problems.append(Problem((*prefix, *loc), _message(detail["type"], detail, model, loc)))
    return problems


def raise_all(path: Path, tables: Mapping[str, Any], lines: Mapping[Loc, int], problems: Iterable[Problem]) -> None:
    """Raise one `LitebundleError` with every problem in the order of the file; return if there is none."""
    found = {(*_find(problem.loc, lines), problem.message) for problem in problems}
    told = sorted(found, key=lambda item: (item[0], str(item[1]), item[2]))
    texts = [f"{path}:{line}: {_place(loc, tables)}: {message}" for line, loc, message in told]
    if len(texts) == 1:
        raise LitebundleError(texts[0])
    if texts:
        raise LitebundleError(f"{len(texts)} errors in {path.name}\n  " + "\n  ".join(texts))


def as_toml(value: object) -> str:
    """A value as one would write it in the file."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {as_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(as_toml(item) for item in value) + "]"
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _message(kind: str, detail: Any, model: type[BaseModel], loc: Loc) -> str:
    given = detail.get("input")
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        known = _keys(_table(model, loc[:-1]))
        return f"unknown key{nearest(str(loc[-1]), known)} (known: {', '.join(known)})"
    if kind == "missing":
        return f"is missing{_example(model, loc) or _table_to_add(model, loc)}"
    if kind == "literal_error":
        known = re.findall(r"'([^']+)'", context["expected"]) or [context["expected"]]
        return f"{as_toml(given)} is not allowed{nearest(str(given), known)} (allowed: {', '.join(known)})"
    if kind in _WANTED:
        return f"must be {_WANTED[kind]}, not {as_toml(given)}{_example(model, loc)}"
    if kind == "int_from_float":
        return f"must be a whole number, not {as_toml(given)}{_example(model, loc)}"
    if kind in ("too_short", "string_too_short"):
        return f"must not be empty{_example(model, loc)}"
    if kind in _LIMITS:
        return f"must be {_LIMITS[kind]} {next(iter(context.values()))}, not {as_toml(given)}"
    if kind == "value_error":
        return str(context["error"])
    return f"{as_toml(given)}: {detail['msg'][0].lower()}{detail['msg'][1:]}{_example(model, loc)}"


def _table(model: type[BaseModel], loc: Loc) -> type[BaseModel]:
    """The model of the table at a location."""
    for part in loc:
        field = _fields(model).get(str(part))  # an index or a free key leads into the same table
        if field is not None:
            model = next(_models(field.annotation), model)
    return model


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The models named anywhere inside a type annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _fields(model: type[BaseModel]) -> Mapping[str, FieldInfo]:
    """Fields by the key that the file uses."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _keys(model: type[BaseModel]) -> list[str]:
    known = [*_fields(model)]
    return known + [_SINGULAR[key] for key in known if key in _SINGULAR]


def _example(model: type[BaseModel], loc: Loc) -> str:
    """`; write for example key = value`, as far as the model gives one."""
    keys = [part for part in loc if isinstance(part, str)]
    if not keys:
        return ""
    field = _fields(_table(model, tuple(keys[:-1]))).get(keys[-1])
    if field is None or not field.examples:
        return ""
    return f"; write for example {keys[-1]} = {as_toml(field.examples[0])}"


def _table_to_add(model: type[BaseModel], loc: Loc) -> str:
    """`; add a table [key]` for a missing top-level table, else nothing."""
    annotation = _fields(model)[str(loc[0])].annotation
    if len(loc) > 1 or not any(_models(annotation)):
        return ""
    return f"; add a table [[{loc[0]}]]" if get_origin(annotation) is tuple else f"; add a table [{loc[0]}]"


def _find(loc: Loc, lines: Mapping[Loc, int]) -> tuple[int, Loc]:
    """Line of the innermost part of a location that the text has, and the location in the text's own keys."""
    line = 1
    place: Loc = ()
    for i, part in enumerate(loc):
        singular = (*place, _SINGULAR.get(str(part), part))
        if (*place, part) in lines:
            place = (*place, part)
        elif singular in lines:
            place = singular
        elif isinstance(part, int) and place in lines and (*place, 0) not in lines:
            continue  # a single table stands for a list of one
        else:
            return line, (*place, *loc[i:])
        line = lines[place]
    return line, place


def _place(loc: Loc, document: Mapping[str, Any]) -> str:
    """The table in words: `[data]`, `stage 'locate'`, with the keys inside it."""
    if len(loc) > 1 and isinstance(loc[1], int):
        return ", ".join([_item_in_words(document, str(loc[0]), loc[1]), *_keys_in_words(loc[2:])])
    is_table = isinstance(document.get(str(loc[0])), Mapping | tuple)
    return " ".join([f"[{loc[0]}]" if is_table else str(loc[0]), *_keys_in_words(loc[1:])])


def _item_in_words(document: Mapping[str, Any], table: str, index: int) -> str:
    """`stage 'locate'` by the item's name (a sample's: its file), else its number."""
    item = document[table][index]
    label = next((item[key] for key in ("name", "file") if key in item), None) if isinstance(item, Mapping) else None
    return f"{table} {label!r}" if isinstance(label, str) else f"{table} number {index + 1}"


def _keys_in_words(loc: Loc) -> list[str]:
    """`inputs[0].shape` as one word, or nothing for an empty location."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return [text.removeprefix(".")] if text else []

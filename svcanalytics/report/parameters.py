"""A report notebook's parameters: what it declares, and whether what it is given fits, before any kernel starts.

Papermill writes parameter names into code unchecked and runs on with the defaults when a name is misspelt; so names and
types are checked here, against the notebook's own cell.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from svcanalytics.errors import PublishError

__all__ = ["Parameter", "Value", "check", "check_id", "declared"]

Value = str | int | float | bool | None

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TYPES: dict[str, tuple[type, ...]] = {"str": (str,), "int": (int,), "float": (float, int), "bool": (bool,)}


@dataclass(frozen=True)
class Parameter:
    """A declared parameter: its name, the names of the types it takes ("str", "int", "float", "bool"), its default."""

    name: str
    types: tuple[str, ...]
    optional: bool
    default: Value


def check_id(text: str, what: str) -> str:
    """Return an id that is safe as the name of a folder.

    Raises
    ------
    PublishError
        When it is anything but small letters, digits, "-" and "_", at most 64 of them.
    """
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise PublishError(
            f"not a {what} that can name a folder: {str(text)[:80]!r}",
            fix="use small letters, digits, - and _, starting with a letter or digit, at most 64 characters",
        )
    return text


def declared(notebook: Mapping[str, Any], where: str) -> dict[str, Parameter]:
    """Read the parameters that a notebook declares in its cell tagged ``parameters``.

    Parameters
    ----------
    notebook : mapping
        The notebook's JSON.
    where : str
        The notebook's name, for messages.

    Raises
    ------
    PublishError
        When there is no such cell or more than one, or when it holds anything but plain assignments of literals.
    """
    cells = [c for c in notebook.get("cells", []) if "parameters" in c.get("metadata", {}).get("tags", [])]
    if len(cells) != 1:
        raise PublishError(
            f"{len(cells)} cells are tagged `parameters`", where=where, fix="tag exactly one cell of assignments"
        )
    source = cells[0]["source"]
    try:
        tree = ast.parse(source if isinstance(source, str) else "".join(source))
    except SyntaxError as error:
        raise PublishError(f"the parameters cell is not Python: {error.msg}", where=where, fix="correct it") from None
    found = {}
    for statement in tree.body:
        parameter = _declaration(statement)
        if parameter is None:
            raise PublishError(
                f"line {statement.lineno} of the parameters cell is no plain parameter",
                where=where,
                fix='write lines such as `period: str = "2026-10"` and nothing else',
            )
        found[parameter.name] = parameter
    return found


def check(parameters: Mapping[str, Parameter], given: Mapping[str, Any], where: str) -> dict[str, Value]:
    """Return the given values when each is declared and of its declared type.

    Raises
    ------
    PublishError
        When a name is badly formed or not declared, a value is of another type, or text holds control characters.
    """
    for name, value in given.items():
        if not _NAME.fullmatch(str(name)) or keyword.iskeyword(name):
            raise PublishError(f"not a parameter's name: {str(name)[:80]!r}", where=where, fix="use a plain name")
        if name not in parameters:
            known = ", ".join(sorted(parameters)) or "none"
            raise PublishError(f"the notebook has no parameter {name!r}", where=where, fix=f"it declares: {known}")
        parameter = parameters[name]
        if value is None and parameter.optional:
            continue
        allowed = tuple(kind for type_name in parameter.types for kind in _TYPES[type_name])
        if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
            raise PublishError(
                f"parameter {name!r} is {type(value).__name__}, not {' or '.join(parameter.types)}",
                where=where,
                fix="give a value of the declared type",
            )
        if isinstance(value, str) and any(ord(mark) < 32 or ord(mark) == 127 for mark in value):
            raise PublishError(f"parameter {name!r} holds control characters", where=where, fix="give plain text")
    return dict(given)


def _declaration(statement: ast.stmt) -> Parameter | None:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and statement.value:
        name, types = statement.target.id, _annotated(statement.annotation)
    elif isinstance(statement, ast.Assign) and len(statement.targets) == 1:
        target = statement.targets[0]
        name, types = (target.id if isinstance(target, ast.Name) else ""), []
    else:
        return None
    try:
        default = ast.literal_eval(statement.value)
    except ValueError:
        return None
    optional = "None" in types or default is None
    types = [type_name for type_name in types if type_name != "None"] or [type(default).__name__]
    types = list(_TYPES) if types == ["NoneType"] else types
    if not _NAME.fullmatch(name) or any(type_name not in _TYPES for type_name in types):
        return None
    return Parameter(name, tuple(types), optional, default)


def _annotated(annotation: ast.expr) -> list[str]:
    return [part.strip() for part in ast.unparse(annotation).split("|")]

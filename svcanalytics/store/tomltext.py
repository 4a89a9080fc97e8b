"""Plain data written as TOML, for mappings that are proposed and kept."""

from __future__ import annotations

import json
import re
from typing import Any

__all__ = ["to_toml"]


def to_toml(table: dict[str, Any], path: str = "") -> str:
    """Write a mapping's content as TOML: plain values first, then tables; columns on a line each."""
    plain = {k: v for k, v in table.items() if not isinstance(v, dict)}
    lines = [f"{_bare(key)} = {_inline(value)}" for key, value in plain.items()]
    for key, value in table.items():
        if isinstance(value, dict):
            inner = f"{path}.{_bare(key)}" if path else _bare(key)
            if key in ("title", "recognise") or path.endswith(".columns"):
                lines.insert(len(plain), f"{_bare(key)} = {_inline(value)}")
            else:
                lines.append(f"\n[{inner}]\n{to_toml(value, inner)}".rstrip("\n"))
    return "\n".join(lines) + "\n"


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_bare(k)} = {_inline(v)}" for k, v in value.items()) + " }"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_inline(v) for v in value) + "]"
    # TOML's basic strings, numbers and truth values are written as JSON's are.
    return json.dumps(value, ensure_ascii=False)


def _bare(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else json.dumps(key, ensure_ascii=False)

"""What the site has besides the pages of this folder: the reference, from docstrings and commands, at each build.

The reference is one page per package, with every name the package lists; the commands' page is read off the command
line itself. ARCHITECTURE.md and its neighbours become pages, and files of the repository that a page links to are
copied beside the pages, so that every link works where there is no repository.
"""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
PACKAGES = (
    *("periods", "store", "metrics", "quality", "causes", "demand", "staffing", "improve", "charts"),
    *("report", "sample", "errors"),
)
# Pages of the repository's root, and what they are called on the site.
NEIGHBOURS = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
# "Zou and Donner 2008", "Saltelli et al. (2010", "Bracher, Ray, Gneiting and Reich 2021".
_NAME = r"(?:(?:van der|Das|OECD/JRC) )?[A-Z][a-z'-]+(?:[A-Z][a-z]+)?(?:, [A-Z]\.(?: [A-Z]\.)?)?"
CITED = re.compile(
    rf"({_NAME}(?:(?:, | and |, and ){_NAME})*(?: et al\.)?),? \(?((?:18|19)\d\d|20[01]\d|202[0-5])(?!\d|-\d)"
)
LINK = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, the neighbours, and every file of the repository that a page links to."""
    pages = {f"reference/{name}.md": _package_page(name) for name in PACKAGES}
    pages |= {"reference/svcanalytics.md": _front_page(), "reference/commands.md": _commands_page()}
    texts = {f"docs/{file.src_uri}": file.content_string for file in files.documentation_pages()}
    for name, uri in NEIGHBOURS.items():
        if uri != "index.md":
            texts[name] = (ROOT / name).read_text("utf-8")
            pages[uri] = _relinked(texts[name], name, uri)
    linked = {_target(link, origin) for origin, text in texts.items() for link in LINK.findall(text)}
    for path in sorted(filter(None, linked)):
        if _uri(path) == f"files/{path}" and (ROOT / path).is_file():
            files.append(File.generated(config, f"files/{path}", abs_src_path=str(ROOT / path)))
    for uri, text in pages.items():
        files.append(File.generated(config, uri, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links that leave this folder to the copies on the site."""
    uri = page.file.src_uri
    if page.file.generated_by:
        return markdown
    if uri == "methods.md":
        markdown = markdown.replace("<!-- every source -->", _sources())
    return _relinked(markdown, f"docs/{uri}", uri)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Say in which language the Chinese page is, for those who have it read aloud."""
    return output.replace('<html lang="en"', '<html lang="zh-CN"', 1) if page.file.src_uri == "zh.md" else output


def _relinked(text: str, origin: str, uri: str) -> str:
    """Return a page's text with links that are right in the repository made right on the site."""

    def moved(found: re.Match[str]) -> str:
        path = _target(found[1], origin)
        return posixpath.relpath(_uri(path), posixpath.dirname(uri) or ".") if path else found[1]

    return LINK.sub(moved, text)


def _target(link: str, origin: str) -> str:
    """Return the repository's path of a link, empty when there is no such file (then the build complains)."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(origin), link))
    return path if (ROOT / path).exists() else ""


def _uri(path: str) -> str:
    return NEIGHBOURS.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else f"files/{path}")


def _front_page() -> str:
    import svcanalytics

    parts = [
        "# svcanalytics",
        "`import svcanalytics as sv` gives these, and the packages as `sv.metrics`, `sv.quality` ...",
    ]
    rows = []
    for public in sorted(set(svcanalytics.__all__) - {"__version__"}):
        thing = getattr(svcanalytics, public)
        lead = (thing.__doc__ or "").partition("\n\n")[0]
        rows.append(f"| [`sv.{public}`][{thing.__module__}.{public}] | {' '.join(lead.split())} |")
    return "\n\n".join([*parts, "\n".join(["| name | what it does |", "| --- | --- |", *rows])]) + "\n"


def _package_page(name: str) -> str:
    package = import_module(f"svcanalytics.{name}")
    lead, _, rest = (package.__doc__ or "").partition("\n\n")
    parts = [f"# svcanalytics.{name}", " ".join(lead.split()), rest.strip()]
    for public in package.__all__:
        thing = getattr(package, public)
        home = getattr(thing, "__module__", None)
        parts.append(f"::: {home}.{public}" if callable(thing) and home else f"## `{public}`\n\n    {thing!r}")
    return "\n\n".join(parts) + "\n"


def _commands_page() -> str:
    from svcanalytics.cli import app

    parts = ["# Commands", "As `svcanalytics COMMAND --help` says them."]
    for name, command in _commands(typer.main.get_command(app), "svcanalytics"):
        parts.append(f"## {name}\n\n{command.help or ''}".rstrip())
        rows = [(_spelt(each), " ".join((getattr(each, "help", "") or "").split())) for each in command.params]
        if rows:
            grid = "\n".join(f"| `{left}` | {right.replace('|', chr(92) + '|')} |" for left, right in rows)
            parts.append(f"| argument or option | meaning |\n| --- | --- |\n{grid}")
    return "\n\n".join(parts) + "\n"


def _commands(command: Any, name: str) -> list[tuple[str, Any]]:
    inside = getattr(command, "commands", {})
    return [(name, command)] + [each for key, part in inside.items() for each in _commands(part, f"{name} {key}")]


def _spelt(parameter: Any) -> str:
    if parameter.param_type_name == "argument":
        return parameter.name.upper()
    return ", ".join([*parameter.opts, *parameter.secondary_opts])


def _sources() -> str:
    """Return a table of every source that a docstring names, beside the function or module that names it."""
    rows = []
    for file in sorted((ROOT / "svcanalytics").rglob("*.py")):
        module = ".".join(file.relative_to(ROOT).with_suffix("").parts)
        for name, text in _docstrings(ast.parse(file.read_text("utf-8")), module):
            found = dict.fromkeys(f"{who} {year}" for who, year in CITED.findall(" ".join(text.split())))
            if found:
                rows.append(f"| `{name.removeprefix('svcanalytics.')}` | {'; '.join(found)} |")
    return "\n".join(["| where | follows |", "| --- | --- |", *rows])


def _docstrings(node: ast.AST, name: str) -> Iterator[tuple[str, str]]:
    if text := ast.get_docstring(node):
        yield name, text
    for part in node.body:
        if isinstance(part, (ast.FunctionDef, ast.ClassDef)):
            yield from _docstrings(part, f"{name}.{part.name}")

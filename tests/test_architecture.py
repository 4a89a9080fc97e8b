"""The rules the code base keeps: layers, size, documentation, notebooks, lazy imports, and commands that CI runs."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "svcanalytics"
MODULES = sorted(p for p in PACKAGE.rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").rglob("*.ipynb"))
HEAVY = [
    *(
        "altair",
        "deltalake",
        "duckdb",
        "holidays",
        "jupyterlab",
        "nbconvert",
        "numpy",
        "pandas",
        "papermill",
        "prophet",
    ),
    *("pyarrow", "pydantic", "scipy", "sklearn", "sqlalchemy", "sqlglot", "statsmodels", "vl_convert", "xlsxwriter"),
]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_packages_import_downwards_only():
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_module_stays_below_500_lines(path):
    assert len(path.read_text("utf-8").splitlines()) < 500


@pytest.mark.parametrize(
    "path", [p for p in MODULES if not p.name.startswith("_") or p.name == "__init__.py"], ids=relative
)
def test_everything_public_is_documented_and_typed(path):
    bad = [
        f"{node.name}: {fault}" for node in public(ast.parse(path.read_text("utf-8")).body) for fault in faults(node)
    ]
    assert bad == []


def public(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            if any("overload" in ast.unparse(decorator) for decorator in node.decorator_list):
                continue
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


def faults(node: ast.FunctionDef | ast.ClassDef) -> Iterator[str]:
    if not ast.get_docstring(node):
        yield "no docstring"
    if isinstance(node, ast.FunctionDef):
        named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        if node.args.kwarg:
            yield "takes **kwargs"
        if node.returns is None or any(a.annotation is None for a in named if a.arg not in ("self", "cls")):
            yield "lacks type hints"


def test_no_public_name_of_a_package_is_also_one_of_its_modules():
    """`from package import name` would otherwise give the module or the function depending on what ran first."""
    clashes = []
    for door in PACKAGE.rglob("__init__.py"):
        inside = {p.stem for p in door.parent.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()}
        package = ".".join(door.parent.relative_to(ROOT).parts)
        clashes += [f"{package}.{name}" for name in set(getattr(import_module(package), "__all__", ())) & inside]
    assert sorted(clashes) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=relative)
def test_a_notebook_is_thin_and_comes_without_outputs(path):
    cells = [c for c in json.loads(path.read_text("utf-8"))["cells"] if c["cell_type"] == "code"]
    assert not any(c.get("outputs") or c.get("execution_count") for c in cells)
    code = "\n".join("".join(c["source"]) for c in cells)
    assert not re.search(r"^\s*(def|class) ", code, re.M)
    assert not re.search(r"svcanalytics\.\w+\._|import _", code), "uses a private name"
    if "reports" in path.parts:
        tagged = [c for c in cells if "parameters" in c["metadata"].get("tags", [])]
        assert len(tagged) == 1
        names = {n.id for n in ast.walk(ast.parse("".join(tagged[0]["source"]))) if isinstance(n, ast.Name)}
        assert {"lake", "snapshot", "report", "period", "language", "scope"} <= names


def test_help_answers_without_importing_anything_heavy():
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from svcanalytics.cli import app\n"
        "result = CliRunner().invoke(app, ['--help'])\n"
        "assert result.exit_code == 0 and 'overdue' in result.output, result.output\n"
        f"print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == []


def test_no_committed_file_names_a_path_of_one_machine():
    named = "|".join(("wo" + "rk", "fa" + "rm", "ro" + "ot", r"ho" + r"me/\w+"))
    pattern = re.compile(rf"(?<![\w.:])/(?:{named})/")
    bad = [name for name, text in tracked_texts() if pattern.search(text)]
    assert bad == []


def tracked_texts() -> Iterator[tuple[str, str]]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if (
            path.is_file()
            and path.suffix in {".py", ".md", ".toml", ".ipynb", ".sh", ".yml", ""}
            and path.stat().st_size < 1e6
        ):
            yield name, path.read_text("utf-8", "replace")


def commands(readme: Path) -> list[str]:
    blocks = re.findall(r"```(?:sh|bash|console|shell)\n(.*?)```", readme.read_text("utf-8"), re.S)
    lines = (line.split(" #")[0].strip().removeprefix("$ ") for block in blocks for line in block.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_the_first_commands_of_a_readme_are_make_report_and_make_test(name):
    made = [command for command in commands(ROOT / name) if command.startswith("make ")]
    assert made[:2] == ["make report", "make test"]


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_every_command_of_a_readme_is_one_that_ci_runs(name):
    ran = {line.strip() for line in (ROOT / ".ci" / "run").read_text("utf-8").splitlines()}
    never = [c for c in commands(ROOT / name) if c not in ran and not c.startswith(("git clone", "cd "))]
    assert never == []


def test_the_generated_pages_of_docs_are_up_to_date():
    run = subprocess.run(
        [sys.executable, ROOT / "docs" / "build.py", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stdout


def test_every_name_the_package_lists_can_be_reached_after_importing_it_alone():
    program = "import svcanalytics as sv; print(*(n for n in dir(sv) if getattr(sv, n, None) is None))"
    run = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == ""


def test_no_two_test_files_share_a_name():
    """Tests live in folders without ``__init__.py``, so that pytest knows a module by its file's name alone."""
    names = [file.name for file in (ROOT / "tests").rglob("test_*.py")]
    assert sorted({name for name in names if names.count(name) > 1}) == []

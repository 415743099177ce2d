"""The house keeps its shape: sizes of rooms, who imports whom, what never stands in code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("audiencehub", "connectors", "flows")
MACHINE_CLOCK = {"audiencehub/opening.py", "audiencehub/http/clock.py"}
"""The doors to the machine's clock: a run's start, and dates in Retry-After headers."""

MODULE_LINES = 400
FUNCTION_LINES = 60
SQL_NOW = re.compile(
    r"\b(now|current_timestamp|current_date|getdate|today)\s*\(\s*\)|current_timestamp|current_date",
    re.I,
)


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def trees(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for path in modules(*folders):
        yield name(path), ast.parse(path.read_text("utf-8"))


def test_modules_stay_small() -> None:
    """A module above 400 lines has become two, and nobody split it."""
    sizes = {name(p): len(p.read_text("utf-8").splitlines()) for p in modules(*PRODUCT)}
    assert sizes, "no modules found"
    assert {k: v for k, v in sizes.items() if v > MODULE_LINES} == {}


def test_functions_stay_small() -> None:
    """A function of more than sixty lines does more than one thing."""
    long = {
        f"{file}:{node.name}": node.end_lineno - node.lineno + 1
        for file, tree in trees(*PRODUCT)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES
    }
    assert long == {}


def imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def type_only(tree: ast.Module) -> set[str]:
    """Modules imported under `if TYPE_CHECKING:`, which never run."""
    return {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for name in imports(ast.Module(node.body, []))
    }


def top(module: str) -> str:
    return module.split(".", maxsplit=1)[0]


def test_prefect_is_imported_in_flows_only() -> None:
    """`from prefect import flow` costs a second; a verb that needs no flow would pay it."""
    found = {
        file
        for file, tree in trees("audiencehub", "connectors")
        for module in imports(tree)
        if top(module) == "prefect"
    }
    assert found == set()
    assert any(top(m) == "prefect" for _, tree in trees("flows") for m in imports(tree))


def test_prefect_is_not_loaded_by_the_command_line() -> None:
    """Loading every verb must not load Prefect, or `audiencehub --help` takes seconds."""
    load = "import sys; from audiencehub.cli.main import build; build()"
    code = f"{load}; print('prefect' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == "False"


def test_core_reaches_neither_connectors_nor_flows() -> None:
    """The core finds connectors by name, and flows through one door."""
    wrong = {
        (file, module)
        for file, tree in trees("audiencehub")
        for module in set(imports(tree)) - type_only(tree)
        if top(module) == "connectors"
        or (top(module) == "flows" and file != "audiencehub/cli/launch.py")
    }
    assert wrong == set()


CONNECTOR_MAY = {"connector", "http", "sandbox", "privacy", "model", "errors", "canonical"}


def test_connectors_keep_to_themselves() -> None:
    """A connector that imports the core's inside, or another connector, cannot live alone."""
    wrong = set()
    for file, tree in trees("connectors"):
        vendor = file.split("/")[1]
        for module in imports(tree):
            parts = module.split(".")
            if parts[0] == "audiencehub" and (len(parts) == 1 or parts[1] not in CONNECTOR_MAY):
                wrong.add((file, module))
            if parts[0] == "connectors" and len(parts) > 1 and parts[1] != vendor:
                wrong.add((file, module))
    assert wrong == set()


def test_a_fake_shares_no_code_with_what_it_checks() -> None:
    """A sandbox that imports what it checks proves nothing about it."""
    wrong = set()
    for file, tree in trees("connectors"):
        stem = Path(file).stem
        for module in imports(tree):
            last = module.split(".")[-1]
            fake = "sandbox" in stem
            if fake and last in ("source", "destination"):
                wrong.add((file, module))
            if (
                stem in ("source", "destination")
                and module.startswith("connectors.")
                and "sandbox" in last
            ):
                wrong.add((file, module))
    assert wrong == set()


def test_time_is_a_parameter() -> None:
    """A step that asks the machine for the time cannot be run as of another day."""
    wrong = {
        f"{file}:{node.lineno}"
        for file, tree in trees(*PRODUCT)
        if file not in MACHINE_CLOCK
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and (node.func.attr, ast.unparse(node.func.value).split(".")[-1])
        in {("now", "datetime"), ("utcnow", "datetime"), ("today", "date"), ("today", "datetime")}
    }
    assert wrong == set()


def strings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Every string that is no docstring."""
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node


def test_sql_asks_for_no_time() -> None:
    """The database's clock is not the run's: `now()` in SQL would break every backtest."""
    wrong = {
        f"{file}:{node.lineno}"
        for file, tree in trees(*PRODUCT)
        for node in strings(tree)
        if re.search(r"\b(select|insert|update|where|values)\b", str(node.value), re.I)
        and SQL_NOW.search(str(node.value))
    }
    assert wrong == set()


@pytest.mark.parametrize("lock", sorted(p.name for p in ROOT.glob("requirements*.lock")))
def test_lock_files_pin_by_hash_and_name_no_host(lock: str) -> None:
    """An index address in a lock file would send a fresh machine to a host of ours."""
    text = (ROOT / lock).read_text("utf-8")
    pins = re.findall(r"^[A-Za-z0-9_.\[\]-]+==\S+", text, re.M)
    assert pins
    assert "://" not in text
    assert not re.search(r"^-", text, re.M)
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.M)
    assert [e for e in entries if "==" in e and "--hash=sha256:" not in e] == []


def test_lock_holds_what_the_project_asks_for() -> None:
    """`pip install --no-deps -e .` after the lock must leave nothing missing."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["dev"]
    locked = {
        re.sub(r"[-_.]+", "-", found).lower()
        for found in re.findall(
            r"^([A-Za-z0-9_.-]+)", (ROOT / "requirements.lock").read_text(), re.M
        )
    }
    names = {re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", one)[0]).lower() for one in asked}
    assert names - locked - {"audiencehub"} == set()


def test_layers_hold() -> None:
    """Import-linter's contracts are the house's plan; a broken one is a wall taken out."""
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_make_help_names_every_target() -> None:
    """A target without a line of help is one that nobody finds."""
    text = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.search(r"^\.PHONY: (.*)$", text, re.M)[1].split())
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"^  make (\S+)\s+\S", shown.stdout, re.M))
    assert targets == listed
    wanted = {
        "help",
        "setup",
        "demo",
        "test",
        "check",
        "verify",
        "bench",
        "sandbox",
        "schedule",
        "clean",
    }
    assert wanted <= listed


def test_every_test_says_what_breaks() -> None:
    """A test without a sentence cannot tell the one who broke it what was lost."""
    silent = [
        f"{file}:{node.name}"
        for file, tree in trees("tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]
    assert silent == []

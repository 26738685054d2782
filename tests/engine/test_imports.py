"""The engine is pure: what it imports and calls is read from its source."""

import ast
import builtins
from pathlib import Path

import pytest

import engine

FILES = sorted(Path(engine.__file__).parent.rglob("*.py"))
ALLOWED = {
    "collections", "dataclasses", "datetime", "enum", "functools", "hashlib", "itertools", "json", "math", "operator",
    "typing",
    "numpy", "scipy", "highspy", "engine",
}  # fmt: skip
FORBIDDEN_CALLS = {"open", "print", "input", "eval", "exec", "compile", "__import__", "breakpoint", "globals"}


def imported(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "the engine imports by absolute names"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_file_of_the_engine_is_pure(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = imported(tree)
    assert {name.split(".")[0] for name in names} <= ALLOWED
    assert not {name for name in names if name.startswith(("numpy.random", "numpy.lib", "scipy.io"))}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np":
            assert node.attr not in {"random", "load", "save", "loadtxt", "savetxt", "fromfile", "memmap", "seterr"}
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in FORBIDDEN_CALLS, f"line {node.lineno} calls {node.func.id}"
        assert not isinstance(node, ast.Global | ast.Nonlocal | ast.AsyncFunctionDef | ast.Await)


def test_the_search_above_sees_every_kind_of_import() -> None:
    seen = imported(ast.parse("import os.path, time as t\nfrom random import random\ndef f():\n    import logging"))
    assert seen == {"os.path", "time", "random.random", "logging"}
    assert FORBIDDEN_CALLS <= set(dir(builtins))
    assert {"adaptive.py", "designs.py", "latent.py"} <= {file.name for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_object_of_the_engine_changes_itself(file: Path) -> None:
    """``self.x = ...`` and ``global`` would be state; only a frozen dataclass may prepare its arrays."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            assert not (isinstance(node.value, ast.Name) and node.value.id == "self"), f"line {node.lineno}"

"""The rules of the house that a machine can hold: layers, sizes, names, silence."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from patience import PATIENCE_SECS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "mien"
MODULES = sorted(PACKAGE.rglob("*.py"))
TREES = {
    str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8")) for path in MODULES
}
EVERYTHING = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for folder in ("src", "tests", "benchmarks", "examples")
    for path in sorted((ROOT / folder).rglob("*.py"))
}
"""Text of all our Python, by its path."""


def run_python(code: str, *arguments: object) -> str:
    """In a process of its own; its last word."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_there_are_modules() -> None:
    assert len(MODULES) > 50


def test_a_file_is_at_most_350_lines() -> None:
    lengths = {path: len(text.splitlines()) for path, text in EVERYTHING.items()}
    assert {path: length for path, length in lengths.items() if length > 350} == {}


def test_a_function_is_at_most_60_lines() -> None:
    """Of statements: the signature of a command is its help."""
    long = {}
    for name, text in EVERYTHING.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                if lines > 60:
                    long[f"{name}: {node.name}"] = lines
    assert long == {}


def test_a_name_says_what_is_inside() -> None:
    nothing = {"utils", "util", "helpers", "helper", "common", "misc", "tools"}
    assert [name for name in TREES if nothing & set(Path(name).with_suffix("").parts)] == []


def test_a_module_says_what_it_is() -> None:
    assert [name for name, tree in TREES.items() if tree.body and not ast.get_docstring(tree)] == []


def test_the_library_never_prints_and_is_never_configured_by_kwargs() -> None:
    found = []
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            prints = isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
            open_ended = isinstance(node, ast.FunctionDef) and node.args.kwarg is not None
            if (prints or open_ended) and not name.startswith("cli"):
                found.append(f"{name}: {ast.unparse(node)[:60]}")
    assert found == []


def test_an_error_of_the_system_is_told_without_its_number() -> None:
    """``[Errno 2] No such file or directory: 'a'`` is not for a reader: ``errors.reason_of``."""
    found = []
    for name, tree in TREES.items():
        for handler in ast.walk(tree):
            if not isinstance(handler, ast.ExceptHandler) or handler.type is None:
                continue
            caught = {each.id for each in ast.walk(handler.type) if isinstance(each, ast.Name)}
            if not caught & {"OSError", "Exception", "BaseException", "FileNotFoundError"}:
                continue
            found += [
                f"{name}: {ast.unparse(each)}"
                for part in handler.body
                for each in ast.walk(part)
                if isinstance(each, ast.FormattedValue)
                and ast.unparse(each.value) == handler.name
                and each.conversion == -1
            ]
    assert found == []


def test_nothing_can_download() -> None:
    network = {"urllib", "http", "requests", "httpx", "ftplib", "socket", "aiohttp"}
    found = []
    for name, tree in TREES.items():
        for node in ast.walk(tree):
            imported: list[str] = []
            if isinstance(node, ast.Import):
                imported = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                imported = [node.module or ""]
            found += [f"{name}: {module}" for module in imported if module.split(".")[0] in network]
    # Whether the Ray cluster that a user names takes a connection; nothing is fetched.
    assert found == ["corpus/on_ray.py: socket"]


def test_no_test_looks_at_the_clock_on_the_wall() -> None:
    """A machine that is busy with others fails nothing: tests/patience.py says how to measure."""
    clocks = {"monotonic", "perf_counter", "perf_counter_ns", "monotonic_ns", "process_time"}
    found = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            reads = isinstance(node, ast.Attribute) and ast.unparse(node.value) == "time"
            waits = isinstance(node, ast.keyword) and node.arg == "timeout"
            if (reads and node.attr in clocks) or (waits and isinstance(node.value, ast.Constant)):
                found.append(f"{path.name}: {ast.unparse(node)}")
    assert sorted(set(found)) == ["patience.py: time.monotonic"]


def test_imports_point_down() -> None:
    command = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    if command is None:
        pytest.skip("import-linter is not installed beside this Python")
    done = subprocess.run(
        [command, "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "names",
    [
        "mien, mien.cli, mien.cli.train, mien.cli.export, mien.cli.track",
        "mien.pipeline, mien.evaluation.predictions, mien.datasets.public.aflw2000",
    ],
)
def test_the_field_wing_comes_up_without_torch(names: str) -> None:
    code = f"import sys, {names}; print([m for m in ('torch', 'matplotlib') if m in sys.modules])"
    assert run_python(code) == "[]"


def test_importing_the_package_costs_nothing() -> None:
    code = (
        "import sys; before = set(sys.modules); import mien; "
        "print([m for m in ('numpy', 'cv2', 'onnxruntime', 'av') if m in sys.modules])"
    )
    assert run_python(code) == "[]"


def test_importing_changes_nothing() -> None:
    code = """
import logging, os, random, sys, warnings
# What these change on import is theirs.
import av, cv2, numpy as np, onnxruntime, jaxtyping, rich.console, scipy.optimize, typer, PIL.Image

def state():
    return (
        dict(os.environ), list(logging.getLogger().handlers), logging.getLogger().level,
        random.getstate(), np.random.get_state()[1].tolist(), np.geterr(), cv2.getNumThreads(),
        list(warnings.filters), os.getcwd(), list(sys.path),
    )

before = state()
import mien, mien.cli, mien.geometry, mien.markup, mien.media, mien.runtime, mien.tracking
import mien.pipeline, mien.outputs
after = state()
print([index for index, (a, b) in enumerate(zip(before, after)) if a != b])
"""
    assert run_python(code) == "[]"


def test_without_a_network_nothing_is_missing(standin_model: Path) -> None:
    """Any socket is an error: names, markups, a weight file and its first answer come up."""
    code = """
import socket, sys
def refuse(*args, **kwargs):
    raise OSError("a socket was opened")
socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = refuse
import mien, mien.cli
import numpy as np
from pathlib import Path
from mien.runtime.session import open_weights
weights = open_weights(Path(sys.argv[1]), threads=1)
side = weights.card.side
batch = weights.run(np.zeros((1, side, side, 3), np.uint8))
print(len(mien.load_markup(68)), len(mien.load_markup(84)), batch.points_crop.shape)
"""
    assert run_python(code, standin_model) == "68 84 (1, 68, 3)"


ENGINE = ("synthesis", "augmentation")
"""Rooms whose numbers decide what a network learns from."""


def bare_numbers(tree: ast.Module, *, engine: bool) -> list[str]:
    """Floats in functions that nothing says the meaning of.

    0, 1, 0.5 and 2 need no name, nor what only keeps a division from nought (1e-6 and less).
    Outside the engine, powers of ten (units, decades) need none either, nor what a keyword names.
    """
    plain = {0.0, 0.5, 1.0, 2.0} if engine else {0.0, 0.5, 1.0, 2.0, 10.0, 1e3, 1e6, 1e9}
    bare = {}
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        arguments = function.args
        named = [one for one in (*arguments.defaults, *arguments.kw_defaults) if one]
        if not engine:
            keywords = [one.value for one in ast.walk(function) if isinstance(one, ast.keyword)]
            named += [one for one in keywords if isinstance(one, ast.Constant | ast.Tuple)]
        known = {id(leaf) for one in named for leaf in ast.walk(one)}
        for node in ast.walk(function):
            if isinstance(node, ast.Constant) and isinstance(node.value, float):
                if node.value in plain or node.value <= 1e-6 or id(node) in known:
                    continue
                bare[id(node)] = f"{node.lineno}: {node.value}"
    return list(bare.values())


def test_numbers_have_names() -> None:
    found = {
        name: bare_numbers(tree, engine=name.startswith(ENGINE)) for name, tree in TREES.items()
    }
    assert {name: bare for name, bare in found.items() if bare} == {}


@pytest.mark.parametrize(
    ("code", "engine", "bare"),
    [
        ("def f(x): return x * 0.3", True, ["1: 0.3"]),
        ("def f(x): return x * 0.3", False, ["1: 0.3"]),
        ("async def f(x): return x * 0.3", False, ["1: 0.3"]),
        ("def f(x): return g(x, alpha=0.3) * 1e3", False, []),
        ("def f(x): return g(x, alpha=0.3) * 1e3", True, ["1: 0.3", "1: 1000.0"]),
        ("def f(x): return g(x, alpha=x * 0.3)", False, ["1: 0.3"]),
        ("_SHARE = 0.3\ndef f(x, y=0.3): return _SHARE * max(x, 1e-6) / 2.0", True, []),
    ],
)
def test_the_rule_of_numbers_sees_them(code: str, engine: bool, bare: list[str]) -> None:
    assert sorted(bare_numbers(ast.parse(code), engine=engine)) == sorted(bare)

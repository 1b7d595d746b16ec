"""What the help says without loading a network is what the library does."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable, Iterator

import click
import pytest
import typer
from scene import Done

from mien.avatar import FORMATS
from mien.cli import _VERBS, app, choices
from mien.markup import load_markup
from mien.runtime import DEFAULT_MODEL
from mien.tracking import TrackerSettings


def test_the_defaults_are_the_librarys() -> None:
    assert choices.DEFAULT_MODEL == DEFAULT_MODEL
    assert TrackerSettings.max_faces == choices.MAX_FACES
    assert TrackerSettings.search_secs == choices.SEARCH_SECS
    assert [one.value for one in choices.TableFormat] == list(FORMATS)
    assert [len(load_markup(int(one))) for one in choices.Points] == [68, 84]


def test_the_help_of_track_waits_for_no_network() -> None:
    """Counted in what is loaded: seconds hang on the machine."""
    code = (
        "import sys\nfrom mien.cli import main\n"
        "try:\n    main(['track', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = ('torch', 'onnxruntime', 'cv2', 'scipy', 'numpy', 'av', 'PIL')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "--search-secs" in done.stdout


_BARE = """
import sys

for name in ("scipy", "torch", "onnx", "onnxscript", "safetensors", "matplotlib", "fastapi"):
    sys.modules[name] = None
from mien.cli import _VERBS, main

def paths(command, path):
    yield path
    for name in getattr(command, "commands", ()):
        yield from paths(command.commands[name], [*path, name])

def told(words):
    try:
        main(words)
    except SystemExit as end:
        return end.code

found = [path for verb in _VERBS for path in paths(verb.load(), [verb.name])]
codes = {told([*path, "--help"]) for path in found}
told(["data", "sheet", "made", "--out", "sheet.png"])
print(["data", "sheet"] in found, codes)
"""


def test_every_help_is_there_on_a_base_install() -> None:
    """None of the extras' packages can be imported: help needs none, and work says which."""
    words = [sys.executable, "-c", _BARE]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "True {0}"
    assert done.stderr == "mien: this needs scipy: pip install 'mien[data]'\n"


def test_python_m_mien_is_the_command() -> None:
    words = [sys.executable, "-m", "mien", "--version"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("mien ")


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    for name in getattr(command, "commands", {}):
        yield from _commands(command.commands[name], f"{path} {name}")  # type: ignore[attr-defined]


def _all_commands() -> list[tuple[str, click.Command]]:
    top = [("mien", typer.main.get_command(app))]
    verbs = [verb for verb in _VERBS if importlib.util.find_spec(verb.module)]
    return top + [one for verb in verbs for one in _commands(verb.load(), f"mien {verb.name}")]


@pytest.mark.parametrize(("path", "command"), _all_commands())
def test_no_help_is_eaten_as_markup(path: str, command: click.Command) -> None:
    """Rich takes words in brackets for its own marks and shows nothing of them."""
    from rich.text import Text

    texts = [command.help or "", *(getattr(one, "help", "") or "" for one in command.params)]
    for text in texts:
        assert Text.from_markup(text).plain == text, path


def test_the_help_shows_what_it_says(mien: Callable[..., Done]) -> None:
    shown = " ".join(mien("data", "profile", "--help").out.replace("│", " ").split())
    assert "as fitted" in shown

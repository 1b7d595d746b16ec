"""The ``mien`` command: one file a verb, loaded when it is called.

Exit codes: 0 done; 2 for whatever a user can mend, with one line that says how; 130 after Ctrl-C,
SIGTERM or a terminal that was closed, with every file closed and readable.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from mien.cli.said import say
from mien.errors import MienError
from mien.interrupts import INTERRUPTED, signals_answered, was_interrupted
from mien.version import __version__

__all__ = ["app", "main"]

_EXTRAS = {
    "scipy": "data",
    **dict.fromkeys(("matplotlib", "onnx", "onnxscript", "safetensors", "torch"), "train"),
}
"""Where a package comes from that a verb may ask for on its way."""


@dataclass(frozen=True)
class _Verb:
    """Where a verb lives. Its help is repeated here, so that listing the verbs loads none."""

    name: str
    attribute: str
    help: str

    @property
    def module(self) -> str:
        return f"mien.cli.{self.name}"

    def load(self) -> Any:
        """The typer command; importing it may take seconds (a network's runtime, torch)."""
        made = getattr(importlib.import_module(self.module), self.attribute)
        if not isinstance(made, typer.Typer):
            app = typer.Typer(add_completion=False, rich_markup_mode="rich")
            app.command(self.name)(made)
            made = app
        command = typer.main.get_command(made)
        command.name = self.name
        return command


_VERBS = (
    _Verb("track", "track", "Follow the faces of a video, photo, folder or webcam."),
    _Verb("corpus", "corpus", "Follow the faces of very many files, on a Ray cluster."),
    _Verb("live", "live", "Look at a webcam or video in a window."),
    _Verb("serve", "serve", "A page for the browser: webcam or video, on this machine alone."),
    _Verb("measure", "measure", "Blinks, nods, speech and sums of a table."),
    _Verb("persons", "persons", "Join the tracks of each clip of a study into persons."),
    _Verb("report", "report", "Make one page to look at and print of a table."),
    _Verb("demo", "demo", "Track the bundled clip; print how well and how fast."),
    _Verb("models", "models", "List the weights that ship with mien."),
    _Verb("evaluate", "evaluate", "Measure a model on a labelled data set."),
    _Verb("data", "data_app", "Prepare and look at training data."),
    _Verb("bench", "bench", "Measure speed, stages, start-up and memory on this machine."),
    _Verb("train", "train", "Train a network."),
    _Verb("reproduce", "reproduce", "Train and measure the paper's tables and figure 7 again."),
    _Verb("export", "export", "Write a trained network as a weight file."),
)


class _LazyGroup(TyperGroup):
    """Shows stand-ins of the verbs, and loads the one that is called."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for verb in _VERBS:
            if importlib.util.find_spec(verb.module) is not None:
                self.add_command(TyperCommand(verb.name, help=verb.help))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, stand_in, rest = super().resolve_command(ctx, args)
        verb = next((verb for verb in _VERBS if verb.name == name), None)
        return name, verb.load() if verb is not None else stand_in, rest


app = typer.Typer(
    cls=_LazyGroup,
    name="mien",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(asked: bool) -> bool:
    if asked:
        typer.echo(f"mien {__version__}")
        raise typer.Exit
    return asked


@app.callback()
def _mien(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show it.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show what the library logs.")
    ] = False,
) -> None:
    """Follow human faces in 3D: landmarks with depth, head pose, identity and confidence.

    Everything runs on this machine, on the processor; nothing is downloaded.
    """
    del version
    logging.basicConfig(
        level=logging.INFO if verbose else logging.ERROR, format="mien: %(message)s", force=True
    )
    if not verbose:  # what a data set is read as changes what its figures mean; skipped steps count
        for name in ("mien.datasets", "mien.training"):
            logging.getLogger(name).setLevel(logging.WARNING)


def main(args: Sequence[str] | None = None) -> None:
    """Run the command and exit."""
    with signals_answered():
        try:
            _run(args)
        except KeyboardInterrupt:
            sys.exit(INTERRUPTED)
        except (Exception, SystemExit):
            # A native module that is interrupted while it loads makes an error of its own of it,
            # and a file that then cannot be closed is another.
            if not was_interrupted():
                raise
            sys.exit(INTERRUPTED)


def _run(args: Sequence[str] | None) -> None:
    try:
        app(args=args, prog_name="mien")
    except MienError as error:
        say(str(error))
        sys.exit(2)
    except OSError as error:
        # What a verb did not foresee: a full disk, rights. Still one line, and never a traceback.
        place = f"{error.filename}: " if error.filename else ""
        say(f"{place}{error.strerror or error}")
        sys.exit(2)
    except ModuleNotFoundError as error:
        name = (error.name or "").split(".")[0]
        if name not in _EXTRAS:
            raise
        say(f"this needs {name}: pip install 'mien[{_EXTRAS[name]}]'")
        sys.exit(2)

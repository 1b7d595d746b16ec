"""Random option sets of every verb, through the command itself.

    python benchmarks/fuzz_options.py --count 10000 --out benchmarks/results/fuzz_options.json

A set is a verb, its arguments, and up to six of its options with values that users type: edges,
words where numbers belong, other people's files, folders that are not there, names with brackets,
colons and accents. The seed decides all of it. A worker process runs one after another; the few
things that would not end or open windows (serving, live cameras, long measurements) are cut short
behind the reading of their options. A failure is a traceback, an exit code other than 0, 2 or 130,
code 2 without a word, a Python warning, a crash, or more than 30 s of processor time (or twenty
times as much of waiting: the machine may be busy).
"""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import io
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing import Answer, Case, Fuzz, Worker, answers_to, run_command

GOOD = frozenset({"done", "refused"})
WORKER = "--worker"
_WEIGHTS = {"track": 5.0, "evaluate": 2.0, "data": 3.0, "report": 1.5, "demo": 0.1}
"""How often a verb is drawn, against 1 for the others."""
_COUNTS = [0.2, 0.3, 0.2, 0.12, 0.08, 0.06, 0.04]
"""How often a command line has no option, one, ... six."""
_NUMBERS = [
    "0",
    "1",
    "2",
    "3",
    "-1",
    "0.5",
    "0.05",
    "24",
    "99999999999",
    "1e9",
    "nan",
    "inf",
    "-0",
    "four",
    "",
    "1,5",
    "0x10",
]
_WORDS = [
    "nano",
    "fast",
    "base",
    "68",
    "84",
    "csv",
    "parquet",
    "jsonl",
    "openface",
    "auto",
    "none",
    "val",
    "test",
    "train",
    "oracle",
    "box",
    "detector",
    "all",
    "confidence",
    "gaze",
    "centerface:512",
    "yunet",
    "boxes:boxes.csv",
    "100x100",
    "cpu",
    "[red]x[/red]",
    "ä ö",
    "a:b",
    "127.0.0.1:9000",
    "",
    " ",
    "%d",
    "--out",
    "../x",
    "NUL",
    "🙂",
]
_PATHS = [
    "clip.mp4",
    "face.png",
    "folder",
    "out",
    "missing.mp4",
    "no/such/place",
    "words.txt",
    "broken.mp4",
    "table.csv",
    "own.toml",
    "faces.npz",
    "a[1].png",
    "a:b.png",
    ".",
    "/dev/null",
    "*.png",
    "frame_%02d.png",
    "boxes.csv",
    "weights.onnx",
    "readonly/x",
    "clip.csv",
    "empty.csv",
    "http://127.0.0.1:1/a.mp4",
    "/dev/video9",
    "-",
]


def make_files(folder: Path) -> None:
    """What the paths name: whole, broken and foreign files."""
    from importlib import resources

    from PIL import Image

    from mien.media import open_source

    demo = resources.files("mien") / "demo" / "clip.mp4"
    with resources.as_file(demo) as path, open_source(str(path)) as source:
        frames = [frame.image_rgb for frame, _ in zip(source, range(4), strict=False)]
    pictures = [Image.fromarray(frame) for frame in frames]
    pictures = [picture.resize((picture.width // 2, picture.height // 2)) for picture in pictures]
    _write_clip(folder / "clip.mp4", [np.asarray(picture) for picture in pictures])
    (folder / "folder").mkdir()
    for place in ("face.png", "a[1].png", "a:b.png", "folder/one.png", "folder/two.jpg"):
        pictures[0].save(folder / place)
    for number in range(2):
        pictures[number].save(folder / f"frame_{number:02d}.png")
    (folder / "words.txt").write_text("nothing to see\n")
    (folder / "broken.mp4").write_bytes((folder / "clip.mp4").read_bytes()[:900])
    (folder / "table.csv").write_text("a,b\n1,2\n")
    (folder / "empty.csv").touch()
    (folder / "own.toml").write_text('name = "x"\nrole = "detection"\n')
    (folder / "boxes.csv").write_text("frame,left,top,right,bottom\n0,10,10,90,90\n")
    np.savez(folder / "faces.npz", nothing=np.zeros(3))
    (folder / "weights.onnx").write_bytes(b"no weights")
    (folder / "readonly").write_text("a file where a folder is asked for")
    words = ["track", "clip.mp4", "--model", "nano", "--out", ".", "--no-overlay"]
    subprocess.run([sys.executable, "-m", "mien", *words], cwd=folder, check=True, stdout=-3)


def _write_clip(path: Path, frames: list[np.ndarray]) -> None:
    from fractions import Fraction

    import av

    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width = (side - side % 2 for side in frames[0].shape[:2])
        stream.pix_fmt = "yuv420p"
        for number, image in enumerate(frames):
            even = np.ascontiguousarray(image[: stream.height, : stream.width])
            frame = av.VideoFrame.from_ndarray(even, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


@dataclass(frozen=True)
class Verb:
    """A command and what it takes."""

    words: tuple[str, ...]
    arguments: int
    options: tuple[tuple[str, int, str], ...]
    """Name, how many values (0: a flag), and the kind of value as the signature says it."""


def verbs() -> list[Verb]:
    """Every command of every group, as the command line knows it."""
    from mien.cli import _VERBS

    def leaves(command: Any, words: tuple[str, ...]) -> list[Verb]:
        if hasattr(command, "commands"):
            return [
                verb
                for name, sub in command.commands.items()
                for verb in leaves(sub, (*words, name))
            ]
        arguments, options = 0, []
        for one in command.params:
            kind = str(getattr(getattr(one, "type_descriptor", None), "annotation", ""))
            if not one.opts or not one.opts[0].startswith("-"):
                arguments += 1
            elif getattr(one, "is_flag", False):
                options += [(name, 0, kind) for name in (*one.opts, *one.secondary_opts)]
            elif one.name != "help":
                options.append((one.opts[0], max(one.nargs, 1), kind))
        return [Verb(words, arguments, tuple(options))]

    return [leaf for verb in _VERBS for leaf in leaves(verb.load(), (verb.name,))]


def draw(known: list[Verb], rng: np.random.Generator) -> list[str]:
    """One command line."""
    weights = np.array([_WEIGHTS.get(verb.words[0], 1.0) for verb in known])
    groups = collections.Counter(verb.words[0] for verb in known)
    weights /= np.array([groups[verb.words[0]] for verb in known])
    verb = known[int(rng.choice(len(known), p=weights / weights.sum()))]
    words = list(verb.words)
    wanted = verb.arguments + (0 if rng.random() < 0.8 else int(rng.choice([-1, 1])))
    likely = ["clip.mp4", "face.png", "folder", "clip.csv"]
    for _ in range(max(wanted, 0)):
        words.append(str(rng.choice(likely if rng.random() < 0.5 else _PATHS)))
    if verb.words[0] == "track":  # else every run after the first is refused for its outputs
        words += ["--overwrite", "--out", "out"]
    for _ in range(int(rng.choice(7, p=_COUNTS))):
        name, count, kind = verb.options[int(rng.integers(0, len(verb.options)))]
        words.append(name)
        words += [_value(kind, rng) for _ in range(count)]
        if rng.random() < 0.03:
            words.append(str(rng.choice([*_WORDS, "--no-such-option", "-z"])))
    return words


def _value(kind: str, rng: np.random.Generator) -> str:
    if rng.random() < 0.1:
        return str(rng.choice([*_NUMBERS, *_WORDS, *_PATHS]))
    if "int" in kind or "float" in kind:
        return str(rng.choice(_NUMBERS[:8] if rng.random() < 0.7 else _NUMBERS))
    if "Path" in kind:
        return str(rng.choice(["out", *_PATHS]))
    return str(rng.choice([*_WORDS, *_PATHS] if rng.random() < 0.3 else _WORDS))


def cut_short() -> None:
    """What would not end, or is measured elsewhere, ends once its options are read."""
    import mien.cli.bench as bench
    import mien.cli.live as live
    import mien.web.server as server
    from mien.errors import InputError

    def stop(*_: object, **__: object) -> Any:
        raise InputError("cut short by the test of options")

    def live_for_a_moment(*arguments: Any) -> Any:
        short = [
            dataclasses.replace(one, seconds=0.2) if isinstance(one, live.LiveOptions) else one
            for one in arguments
        ]
        return run_live(*short)

    bench.write_crowd = stop
    server.run_server = stop
    run_live = live.run_live
    live.run_live = live_for_a_moment


def _answer(words: list[str]) -> Answer:
    from mien.cli import main

    sys.argv = ["mien", *words]
    code: object = 0
    told = io.StringIO()
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(told):
            main()
    except SystemExit as end:
        code = end.code or 0
    except BaseException as error:
        return Answer(f"traceback: {type(error).__name__}", str(error)[:300])
    said = told.getvalue()
    if code not in (0, 2, 130):
        return Answer(f"exit code {code}", said[-300:])
    if "Warning:" in said or "Traceback" in said:
        return Answer("a warning of Python's", said[-300:])
    if code == 2 and not said.strip():
        return Answer("refused without a word")
    ours = [line for line in said.splitlines() if line.startswith("mien: ")]
    if code == 2 and "Error" not in said and not ours:
        return Answer("refused in other words", said[-300:])
    return Answer("done" if code == 0 else "refused", said[-200:])


@contextlib.contextmanager
def begun() -> Iterator[Callable[[int, np.random.Generator], Case]]:
    """A folder of files that the paths name, made anew every two hundred cases."""
    known = verbs()
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryDirectory() as kept:
        folder, whole = Path(place), Path(kept) / "whole"
        make_files(folder)
        shutil.copytree(folder, whole)
        script = str(Path(__file__).resolve())
        worker = Worker([script, WORKER], folder, subprocess.DEVNULL)

        def ask(number: int, rng: np.random.Generator) -> Case:
            if number % 200 == 0:  # what runs left behind, and what they wrote over
                worker.close()
                shutil.rmtree(folder)
                shutil.copytree(whole, folder)
            words = draw(known, rng)
            verb = " ".join(words[: 2 if words[0] == "data" else 1])
            return Case(verb, worker.ask(json.dumps(words)), {"words": words})

        yield ask
        worker.close()


FUZZ = Fuzz("option_sets", "verbs", GOOD, begun)


if __name__ == "__main__":
    if sys.argv[1:2] == [WORKER]:
        cut_short()
        answers_to(lambda line: _answer(json.loads(line)))
    else:
        run_command(FUZZ, __doc__ or "", count=10_000)

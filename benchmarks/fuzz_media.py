"""Broken media files through the reader and through ``mien track``.

    python benchmarks/fuzz_media.py --count 1000 --out benchmarks/fuzz_media.json

Small whole files of every kind are made, then bytes of them flipped, cut away, filled with zeros or
spliced with another file's; the seed decides all of it. A worker process reads each file and tracks
it with the nano model. A failure is a traceback or any error but ours, an error of several lines,
an exit code other than 0 or 2 as the reader's word has it, a line on stderr that is not mien's, a
crash, or more than 30 s.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, features

LIMIT_SECS = 30.0
_SIZE = (96, 64)
_FRAMES = 8
_MOST_FAILURES_TOLD = 20


@dataclass(frozen=True)
class Answer:
    """What became of one file."""

    outcome: str
    """``read``, ``refused``, ``partly`` (whole frames, then a line), or a failure's kind."""
    said: str = ""


def whole_files(folder: Path) -> list[Path]:
    """One small file of each kind, made here."""
    scenes = [Image.fromarray(_scene(number)) for number in range(_FRAMES)]
    made = [
        _video(folder / name, codec, pix_fmt, options)
        for name, codec, pix_fmt, options in (
            ("end.mp4", "libx264", "yuv420p", {}),
            ("front.mp4", "libx264", "yuv420p", {"movflags": "faststart"}),
            ("live.mp4", "libx264", "yuv420p", {"movflags": "frag_keyframe+empty_moov"}),
            ("a.mov", "mpeg4", "yuv420p", {}),
            ("a.mkv", "libx264", "yuv420p", {}),
            ("a.webm", "libvpx", "yuv420p", {}),
            ("a.avi", "mpeg4", "yuv420p", {}),
            ("b.avi", "libx264", "yuv420p", {}),
            ("a.ts", "mpeg2video", "yuv420p", {}),
            ("a.flv", "flv", "yuv420p", {}),
            ("a.gif", "gif", "gray", {}),
            ("a.h264", "libx264", "yuv420p", {}),
        )
    ]
    still = {"jpg": {}, "bmp": {}, "ppm": {}, "jp2": {}, "tga": {}, "ico": {"sizes": [(64, 64)]}}
    still["tif"] = {"compression": "tiff_lzw"}
    for suffix, options in still.items():
        made.append(folder / f"still.{suffix}")
        scenes[0].save(made[-1], **options)
    moving = ["png", "webp", "tif", *(["avif"] if features.check("avif") else [])]
    for suffix in moving:
        made.append(folder / f"moving.{suffix}")
        scenes[0].save(made[-1], save_all=True, append_images=scenes[1:], duration=40)
    made.append(folder / "a.mjpeg")
    made[-1].write_bytes(b"".join(_jpeg(scene) for scene in scenes))
    with contextlib.suppress(ImportError):
        import pillow_heif

        made.append(folder / "a.heic")
        pillow_heif.from_pillow(scenes[0]).save(made[-1])
    return made


def _scene(number: int) -> np.ndarray:
    noise = np.random.default_rng(number).integers(0, 255, (8, 12, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(noise).resize(_SIZE, Image.Resampling.BICUBIC))


def _jpeg(scene: Image.Image) -> bytes:
    buffer = io.BytesIO()
    scene.save(buffer, "JPEG")
    return buffer.getvalue()


def _video(path: Path, codec: str, pix_fmt: str, options: dict[str, str]) -> Path:
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height = _SIZE
        stream.pix_fmt = pix_fmt
        for number in range(_FRAMES):
            frame = av.VideoFrame.from_ndarray(_scene(number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def broken(data: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:
    """The bytes damaged in one to three ways."""
    out = bytearray(data)
    for _ in range(int(rng.integers(1, 4))):
        at = int(rng.integers(0, len(out)))
        if rng.random() < 0.3:  # heads and indices are where a reader is led astray
            at = int(at * 0.05)
        length = int(rng.integers(1, 64))
        way = rng.integers(0, 5)
        if way == 0:
            for place in rng.integers(0, len(out), length):
                out[place] ^= 1 << int(rng.integers(0, 8))
        elif way == 1:
            out[at : at + length] = rng.bytes(length)
        elif way == 2:
            del out[max(at, 1) :]
        elif way == 3:
            out[at : at + 8 * length] = bytes(len(out[at : at + 8 * length]))
        else:
            other = others[int(rng.integers(0, len(others)))]
            start = int(rng.integers(0, len(other)))
            out[at:at] = other[start : start + 16 * length]
        if not out:
            out += b"\0"
    return bytes(out)


class Worker:
    """A process that reads and tracks one file after another, and may be ended."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._process: subprocess.Popen[str] | None = None
        self._said = out / "stderr.txt"

    def ask(self, path: Path) -> Answer:
        """What becomes of the file."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        before = self._said.stat().st_size
        process.stdin.write(f"{path}\n")
        process.stdin.flush()
        ready, _, _ = select.select([process.stdout], [], [], LIMIT_SECS)
        line = process.stdout.readline() if ready else ""
        if not line:
            code = process.poll() if ready else None
            self.close()
            return Answer("crash" if ready else "hang", f"exit code {code}")
        with self._said.open("rb") as said:
            said.seek(before)
            text = said.read().decode(errors="replace")
        answer = Answer(**json.loads(line))
        foreign = [one for one in text.splitlines() if one.strip() and not one.startswith("mien: ")]
        if foreign and answer.outcome in ("read", "refused", "partly"):
            return Answer("foreign line on stderr", foreign[0])
        return answer

    def close(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
            self._process = None

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            with self._said.open("ab") as said:
                self._process = subprocess.Popen(
                    [sys.executable, __file__, "--worker", str(self._out)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    text=True,
                )
        return self._process


def work(out: Path) -> None:
    """The worker's loop: a path a line comes in, an answer a line goes out."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # nothing else may write where the answers go
    for line in sys.stdin:
        path = Path(line.rstrip("\n"))
        try:
            answer = _read(path)
            if answer.outcome in ("read", "refused", "partly"):
                answer = _tracked(path, out, answer)
        except BaseException as error:
            answer = Answer(f"traceback: {type(error).__name__}", str(error)[:300])
        answers.write(json.dumps(asdict(answer)) + "\n")
        answers.flush()


def _read(path: Path) -> Answer:
    from mien.errors import InputError
    from mien.media import open_source

    frames, last_secs = 0, -1.0
    try:
        with open_source(path, threads=1) as source:
            for frame in source:
                if frame.time_secs <= last_secs:
                    return Answer("time stands still", f"{frame.time_secs} after {last_secs}")
                frames, last_secs = frames + 1, frame.time_secs
    except InputError as error:
        said = str(error)
        if "\n" in said or len(said) > 2000:
            return Answer("an error of several lines", said[:300])
        return Answer("partly" if frames else "refused", said)
    return Answer("read" if frames else "nothing said and nothing read")


def _tracked(path: Path, out: Path, read: Answer) -> Answer:
    from mien.cli import main

    words = ["track", str(path), "--out", str(out / "out"), "--model", "nano", "--threads", "1"]
    sys.argv = ["mien", *words, "--overwrite"]
    code: object = 0
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            main()
    except SystemExit as end:
        code = end.code or 0
    expected = 0 if read.outcome == "read" else 2
    if code != expected:
        return Answer(f"exit code {code} where the reader says {read.outcome}", read.said)
    return read


def run(count: int, seed: int, limit_secs: float, start: int = 0) -> dict[str, object]:
    """Break ``count`` files and count what became of them; ends early after ``limit_secs``."""
    tally: collections.Counter[str] = collections.Counter()
    kinds: collections.Counter[str] = collections.Counter()
    failures: list[dict[str, object]] = []
    slowest = 0.0
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        (folder / "stderr.txt").touch()
        files = whole_files(folder)
        whole = {path: path.read_bytes() for path in files}
        worker = Worker(folder)
        for number in range(start, start + count):
            if time.perf_counter() - begun > limit_secs:
                break
            rng = np.random.default_rng([seed, number])
            origin = files[int(rng.integers(0, len(files)))]
            case = folder / f"case{origin.suffix}"
            case.write_bytes(broken(whole[origin], list(whole.values()), rng))
            asked = time.perf_counter()
            answer = worker.ask(case)
            slowest = max(slowest, time.perf_counter() - asked)
            tally[answer.outcome] += 1
            kinds[origin.name] += 1
            if answer.outcome not in ("read", "refused", "partly"):
                failures.append({"number": number, "file": origin.name, **asdict(answer)})
        worker.close()
    return {
        "files": sum(tally.values()),
        "seed": seed,
        "outcomes": dict(sorted(tally.items())),
        "kinds": dict(sorted(kinds.items())),
        "failures": len(failures),
        "first_failures": failures[:_MOST_FAILURES_TOLD],
        "slowest_secs": round(slowest, 2),
    }


def joined(parts: list[dict[str, Any]]) -> dict[str, object]:
    """One result of several parts of the same seed."""
    result: dict[str, object] = {"files": sum(part["files"] for part in parts)}
    result["seed"] = parts[0]["seed"]
    for name in ("outcomes", "kinds"):
        tally: collections.Counter[str] = collections.Counter()
        for part in parts:
            tally.update(part[name])
        result[name] = dict(sorted(tally.items()))
    result["failures"] = sum(part["failures"] for part in parts)
    told = [failure for part in parts for failure in part["first_failures"]]
    result["first_failures"] = told[:_MOST_FAILURES_TOLD]
    result["slowest_secs"] = max(part["slowest_secs"] for part in parts)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--start", type=int, default=0)
    parser.add_argument("--seed", type=int, default=14)
    parser.add_argument("--limit-secs", type=float, default=float("inf"))
    parser.add_argument("--out", type=Path)
    parser.add_argument("--parts", type=Path, nargs="*", help="join results of parts into one")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        work(options.worker)
        return
    if options.parts:
        result = joined([json.loads(path.read_text()) for path in options.parts])
    else:
        result = run(options.count, options.seed, options.limit_secs, options.start)
    result["command"] = f"python benchmarks/fuzz_media.py --count {options.count}"
    text = json.dumps(result, indent=2) + "\n"
    if options.out:
        options.out.write_text(text)
    print(text, end="")
    sys.exit(1 if result["failures"] else 0)


if __name__ == "__main__":
    main()

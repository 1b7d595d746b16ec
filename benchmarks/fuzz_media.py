"""Broken media files through the reader and through ``mien track``.

    python benchmarks/fuzz_media.py --count 1000 --out benchmarks/results/fuzz_media.json

Small whole files of every kind are made, then bytes of them flipped, cut away, filled with zeros or
spliced with another file's; the seed decides all of it. A worker process reads each file and tracks
it with the nano model. A failure is a traceback or any error but ours, an error of several lines,
an exit code other than 0 or 2 as the reader's word has it, a line on stderr that is not mien's, a
crash, or more than 30 s of processor time. ``--start 500`` begins at the 501st; ``--parts`` joins.
"""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image, features

from fuzzing import Answer, Case, Fuzz, Worker, answers_to, run_command

GOOD = frozenset({"read", "refused", "partly"})
"""Partly: whole frames, then a line."""
WORKER = "--worker"
_SIZE = (96, 64)
_FRAMES = 8


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


@contextlib.contextmanager
def begun() -> Iterator[Callable[[int, np.random.Generator], Case]]:
    """Whole files in a folder of its own; each case is one of them, broken."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files = whole_files(folder)
        whole = {path: path.read_bytes() for path in files}
        stderr = folder / "stderr.txt"
        with stderr.open("ab") as said:
            worker = Worker([str(Path(__file__).resolve()), WORKER, place], folder, said)

            def ask(number: int, rng: np.random.Generator) -> Case:
                origin = files[int(rng.integers(0, len(files)))]
                case = folder / f"case{origin.suffix}"
                case.write_bytes(broken(whole[origin], list(whole.values()), rng))
                before = stderr.stat().st_size
                answer = worker.ask(str(case))
                with stderr.open("rb") as stream:
                    stream.seek(before)
                    text = stream.read().decode(errors="replace")
                foreign = [
                    one for one in text.splitlines() if one.strip() and not one.startswith("mien: ")
                ]
                if foreign and answer.outcome in GOOD:
                    answer = Answer("foreign line on stderr", foreign[0])
                return Case(origin.name, answer, {"file": origin.name})

            yield ask
            worker.close()


def answer_of(path: str, out: Path) -> Answer:
    """What the reader and ``mien track`` say of a file."""
    answer = _read(Path(path))
    return _tracked(Path(path), out, answer) if answer.outcome in GOOD else answer


FUZZ = Fuzz("files", "kinds", GOOD, begun)


if __name__ == "__main__":
    if sys.argv[1:2] == [WORKER]:
        place = Path(sys.argv[2])
        answers_to(lambda line: answer_of(line, place))
    else:
        run_command(FUZZ, __doc__ or "", count=1000)

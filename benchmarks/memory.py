"""Whether memory stays flat: `nano` follows a face through 100,000 frames into a CSV.

    python benchmarks/memory.py benchmarks/results/memory.json [--frames 100000] [--side 320]

The bundled clip, made small, is played again and again within one process, by the reader, tracker
and sinks of `mien track`. Resident memory is read every thousand frames (VmRSS of
/proc/self/status). Flat is a run whose highest reading of the second half is at most 5 % above the
highest of the second tenth: in the first tenth buffers fill.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from importlib import resources
from pathlib import Path

import av
import cv2
import numpy as np

from mien.media import open_source
from mien.outputs.tables import CsvTable
from mien.pipeline import Tally, TrackerParts, track_source
from mien.runtime import load_landmarkers, open_detector

EVERY = 1000
RATE = 25
MOST_GROWTH = 0.05


def make_clip(path: Path, width: int, frames: int) -> None:
    """The bundled clip, small, forth and back, so that no cut comes where it begins anew: its
    packets are written again and again, with times that go on."""
    whole = Path(str(resources.files("mien"))) / "demo" / "clip.mp4"
    with open_source(str(whole)) as source:
        images = [frame.image_rgb for frame in source]
    height = round(images[0].shape[0] * width / images[0].shape[1] / 2) * 2
    small = [cv2.resize(one, (width, height), interpolation=cv2.INTER_AREA) for one in images]
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=RATE)
        stream.width, stream.height = width, height
        stream.pix_fmt, stream.bit_rate = "yuv420p", 1_000_000
        for number, image in zip(range(frames), _again_and_again(small), strict=False):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _again_and_again(images: list[np.ndarray]) -> Iterator[np.ndarray]:
    while True:
        yield from images
        yield from images[-2:0:-1]


def resident_mb() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise SystemExit("no VmRSS in /proc/self/status")


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--side", type=int, default=320, help="width of the pictures, px")
    parser.add_argument("--model", default="nano")
    asked = parser.parse_args()
    readings: list[float] = []
    begun = time.process_time()

    def on_frame(done: int) -> None:
        if done == EVERY * (len(readings) + 1):
            readings.append(round(resident_mb(), 1))
            print(done, readings[-1], round(time.process_time() - begun), flush=True)

    with tempfile.TemporaryDirectory() as place:
        clip = Path(place) / "long.mp4"
        make_clip(clip, asked.side, asked.frames)
        pair = load_landmarkers(asked.model, points=68, threads=1)
        parts = TrackerParts(pair, open_detector("centerface"))
        tally = Tally()
        with open_source(str(clip)) as source:
            table = CsvTable(Path(place) / "long.csv", 68)
            track_source(source, parts, [table], tally, on_frame)
        table_mb = (Path(place) / "long.csv").stat().st_size / 2**20
    tenth = max(len(readings) // 10, 1)
    early, late = max(readings[tenth : 2 * tenth]), max(readings[len(readings) // 2 :])
    told = {
        "command": f"python benchmarks/memory.py memory.json --frames {asked.frames} "
        f"--side {asked.side} --model {asked.model}",
        "model": pair.name,
        "frames": tally.frames_decoded,
        "frames_with_face": tally.frames_with_face,
        "size": tally.size,
        "table_mb": round(table_mb),
        "highest_of_second_tenth_mb": early,
        "highest_of_second_half_mb": late,
        "growth": round(late / early - 1, 4),
        "flat_within_5_percent": late <= (1 + MOST_GROWTH) * early,
        "resident_mb_every_1000_frames": readings,
    }
    asked.out.write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps({name: one for name, one in told.items() if name[:3] != "res"}, indent=1))


if __name__ == "__main__":
    main()

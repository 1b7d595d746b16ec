"""Kill a study at random moments, again and again: its table must equal the unbroken one's.

::

    python benchmarks/kills.py benchmarks/results/kills.json [--kills 50] [--workers 2]

Clips are made of the bundled one (turned, cut into pieces of different lengths) and tracked with
`nano`. Each run is killed outright (SIGKILL, the parent alone: its workers must notice) at a random
moment once it is at work; a run that ends by itself is begun anew on a fresh table, until all kills
are spent. Checkpoints come every half second in place of every minute, so that most kills fall
between two.
"""

from __future__ import annotations

import argparse
import functools
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from importlib import resources
from pathlib import Path

import av

from provenance import command

OFTEN = """
import functools, sys
import mien.cli.track_run as track_run
from mien.cli import main
if __name__ == "__main__":
    track_run.ShardSpec = functools.partial(track_run.ShardSpec, checkpoint_secs=0.5)
    main(sys.argv[1:])
"""


def make_clips(folder: Path) -> None:
    """Pieces of the bundled clip: 40 to 100 frames each."""
    clip = Path(str(resources.files("mien"))) / "demo" / "clip.mp4"
    with av.open(str(clip)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    for number, (first, count) in enumerate(((0, 100), (30, 60), (90, 60), (50, 40))):
        with av.open(str(folder / f"piece-{number}.mp4"), "w") as container:
            stream = container.add_stream("mpeg4", rate=25)
            stream.height, stream.width = frames[0].shape[:2]
            stream.pix_fmt, stream.bit_rate = "yuv420p", 4_000_000
            for image in frames[first : first + count]:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode(None))


def tables(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("study*.csv"))]


def written(folder: Path) -> int:
    """When a run last began or finished a file; 0 before the first."""
    record = folder / "run.json"
    return record.stat().st_mtime_ns if record.is_file() else 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    chance = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        (top / "in").mkdir()
        make_clips(top / "in")
        script = top / "often.py"
        script.write_text(OFTEN)
        words = [sys.executable, str(script), "track", str(top / "in"), "--model", "nano"]
        words += ["--threads", "1", "--workers", str(given.workers), "--table"]
        start = functools.partial(subprocess.Popen, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        whole = start([*words, str(top / "whole" / "study.csv")])
        whole.communicate()
        expected = tables(top / "whole")
        assert whole.returncode == 0
        assert len(expected) == 2
        killed = finished = resumed = 0
        equal = True
        folder = top / "killed"
        while killed < given.kills or folder.exists():
            before = written(folder)
            run = start([*words, str(folder / "study.csv")])
            started = time.monotonic()
            while written(folder) == before and run.poll() is None:
                time.sleep(0.05)  # it is killed at work, not while it loads
            wait = chance.uniform(0.0, 1.0) * (time.monotonic() - started)
            try:
                _, said = run.communicate(timeout=wait if killed < given.kills else None)
            except subprocess.TimeoutExpired:
                run.kill()
                run.communicate()
                killed += 1
                resumed += before > 0
                continue
            assert run.returncode == 0, said.decode()
            finished += 1
            equal = equal and tables(folder) == expected
            equal = equal and json.loads((folder / "run.json").read_text())["complete"]
            equal = equal and not (folder / "study.parts").exists()
            shutil.rmtree(folder)
            print(f"{killed} kills, {finished} finished, equal: {equal}", flush=True)
    told = {
        "command": command(),
        "kills": killed,
        "of_runs_that_went_on": resumed,
        "finished_tables": finished,
        "every_table_equals_the_unbroken_one": equal,
    }
    given.out.write_text(json.dumps(told, indent=1) + "\n")
    print(told)


if __name__ == "__main__":
    main()

"""Track a clip and draw how far each face turns, from the table that `mien track` writes.

    python examples/plot_yaw.py clip.mp4 --out out/

needs matplotlib (`pip install '.[train]'`).
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from matplotlib.figure import Figure


def main() -> None:
    parser = argparse.ArgumentParser(description="Draw the yaw of every face of a clip.")
    parser.add_argument("clip", type=Path)
    parser.add_argument("--out", type=Path, default=Path("out"))
    arguments, options = parser.parse_known_args()  # what is left over goes to mien track

    mien = [sys.executable, "-c", "from mien.cli import main; main()"]  # the command `mien`
    subprocess.run(
        [*mien, "track", str(arguments.clip), "--out", str(arguments.out), *options], check=True
    )

    times_secs, yaws_deg = defaultdict(list), defaultdict(list)
    with (arguments.out / f"{arguments.clip.stem}.csv").open(newline="") as table:
        for row in csv.DictReader(table):
            if row["track_id"]:  # empty: no face in this frame
                times_secs[row["track_id"]].append(float(row["time_secs"]))
                yaws_deg[row["track_id"]].append(float(row["yaw_deg"]))

    figure = Figure(figsize=(8, 3), layout="constrained")
    axes = figure.add_subplot(xlabel="seconds", ylabel="yaw in degrees, + to the image's right")
    for track_id in times_secs:
        axes.plot(times_secs[track_id], yaws_deg[track_id], label=f"face {track_id}")
    if times_secs:
        axes.legend()
    picture = arguments.out / f"{arguments.clip.stem}.yaw.png"
    figure.savefig(picture)
    print(picture)


if __name__ == "__main__":
    main()

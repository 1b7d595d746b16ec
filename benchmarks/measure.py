"""Measure a model on every test set, and write benchmarks/results/MODEL.*.json.

    python benchmarks/measure.py --model fast --data DATA --turned sets/turned_test
    python benchmarks/measure.py --model runs/nano --data DATA --turned sets/turned_test \\
        --out results --speed WolfgangLanger_Pexels.mp4

MODEL is the name in the weight file's card. Accuracy is measured by several processes of one thread
each, speed (`benchmarks/speed.py`) after it by one alone; on a busy machine leave `--speed` out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mien.runtime.session import read_card
from mien.runtime.weights import find_weights

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Measurement:
    """One run of `mien evaluate`."""

    data_set: str
    words: tuple[str, ...]
    """Format, folder and further options."""
    init: str
    """`video` of clips, which the tracker follows by itself."""
    mirror: bool = False

    def file(self, folder: Path, model: str) -> Path:
        """As `readme_table.py` wants it named."""
        mirror = ".mirror" if self.mirror else ""
        return folder / f"{model}.{self.data_set}.{self.init}{mirror}.json"


def plan(data: Path, turned: Path | None, clips: Path | None) -> list[Measurement]:
    """All measurements, the longest first."""
    dev = ("aflw2000", str(data / "aflw2000_dev"))
    helen, ytf = (("faces", str(data), "--source", source) for source in ("helen", "ytf"))
    inits = ("oracle", "box", "detector")
    measurements = [Measurement("ytf_test", ytf, "box")]
    measurements += [Measurement("helen_test", helen, init) for init in reversed(inits)]
    measurements += [Measurement("aflw2000_dev", dev, init) for init in inits]
    measurements.append(Measurement("aflw2000_dev", dev, "oracle", mirror=True))
    if turned is not None:
        folder = ("turned", str(turned))
        first = [Measurement("turned_test", folder, init) for init in ("oracle", "box")]
        measurements = [*first, *measurements]
    if clips is not None:
        measurements.insert(0, Measurement("clips", ("clips", str(clips)), "video"))
    return measurements


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="fast", help="a shipped model, or weight files")
    parser.add_argument("--data", type=Path, required=True, help="face pack and aflw2000_dev")
    parser.add_argument("--turned", type=Path, help="a test set of mien data profile")
    parser.add_argument("--clips", type=Path, help="clips of mien data video; 40 take minutes")
    parser.add_argument("--speed", type=Path, metavar="CLIP", help="also measure speed, with it")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    arguments = parser.parse_args()
    name = read_card(find_weights(arguments.model).tracking).name
    start_secs = time.perf_counter()
    with ThreadPoolExecutor(arguments.jobs) as pool:
        done = [
            pool.submit(_evaluate, one, arguments.model, one.file(arguments.out, name))
            for one in plan(arguments.data, arguments.turned, arguments.clips)
        ]
        failed = sum(not one.result() for one in done)
    print(f"{len(done) - failed} of {len(done)} in {time.perf_counter() - start_secs:.0f} s")
    if arguments.speed is not None:
        clip = arguments.speed
        outs = {(): f"{name}.cost.json", (str(clip),): f"{name}.{clip_name(clip)}.speed.json"}
        for words, file in outs.items():
            place = ["--out", str(arguments.out / file), "--model", arguments.model]
            subprocess.run([sys.executable, str(HERE / "speed.py"), *words, *place], check=True)
    sys.exit(failed > 0)


def clip_name(clip: Path) -> str:
    """`wolfganglanger` of WolfgangLanger_Pexels.mp4."""
    return clip.stem.split("_")[0].lower()


def _evaluate(one: Measurement, model: str, file: Path) -> bool:
    """Run it in a process of its own; whether it came to its end."""
    words = ["evaluate", *one.words, "--model", model, "--threads", "1"]
    words += ["--init", one.init] if one.init != "video" else []
    words += ["--mirror"] if one.mirror else []
    code = "import sys, cv2; from mien.cli import main; cv2.setNumThreads(1); main(sys.argv[1:])"
    start_secs = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-c", code, *words, "--json", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    passed = ran.returncode == 0
    if passed:  # else a second call goes on with them
        for predictions in file.parent.glob(f"{file.stem}.*.npz"):
            predictions.unlink()
    print(f"{file.name}: {time.perf_counter() - start_secs:.0f} s", flush=True)
    print(ran.stdout if passed else ran.stderr, flush=True)
    return passed


if __name__ == "__main__":
    main()

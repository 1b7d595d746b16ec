"""Measure models on every set, write benchmarks/results/MODEL.*.json, and the README's tables anew.

    python benchmarks/measure_all.py --data DATA --turned sets/turned_test --clips clips
    python benchmarks/measure_all.py nano runs/mine --data DATA --out results --speed CLIP.mp4

Models are names of shipped ones (`fast nano` unless others are given) or weight files; a result is
named after the weight file's card. DATA holds the face pack, `aflw2000` and `cfp`. Accuracy is
measured by several processes of one thread each; speed (`benchmarks/speed.py`) after it by one
alone: on a busy machine leave `--speed` out. A call that was broken off goes on where it was.
Without `--turned` and `--clips` their results are left as they are.
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
_MIEN = "import sys, cv2; from mien.cli import main; cv2.setNumThreads(1); main(sys.argv[1:])"


@dataclass(frozen=True)
class Measurement:
    """One run of `mien evaluate`."""

    data_set: str
    words: tuple[str, ...]
    """Format, folder and further options."""
    init: str
    """`video` of clips, which the tracker follows by itself."""
    mirror: bool = False
    careful: bool = False

    def file(self, folder: Path, model: str) -> Path:
        """As `readme_table.py` wants it named."""
        twice = ".mirror" if self.mirror else ".careful" if self.careful else ""
        return folder / f"{model}.{self.data_set}.{self.init}{twice}.json"


def plan(data: Path, turned: Path | None, clips: Path | None) -> list[Measurement]:
    """All measurements, the longest first."""
    whole = ("aflw2000", str(data / "aflw2000"))
    helen, ytf = (("faces", str(data), "--source", source) for source in ("helen", "ytf"))
    helen_val = ("faces", str(data), "--split", "val", "--source", "helen")
    measurements = [Measurement("aflw2000", whole, init) for init in ("detector", "box", "oracle")]
    measurements.insert(2, Measurement("aflw2000", whole, "oracle", mirror=True))
    careful = [Measurement("aflw2000", whole, init, careful=True) for init in ("detector", "box")]
    measurements = [*careful, *measurements]
    measurements.append(Measurement("ytf_test", ytf, "box"))
    measurements += [
        Measurement("helen_test", helen, init) for init in ("detector", "box", "oracle")
    ]
    measurements += [
        Measurement("cfp_val", ("cfp", str(data / "cfp")), "detector"),
        Measurement("helen_test_cut", (*helen, "--cut", "0.3"), "detector"),
        Measurement("helen_val_cut", (*helen_val, "--cut", "0.3"), "detector"),
        Measurement("helen_val_patch", (*helen_val, "--patch"), "detector"),
    ]
    if turned is not None:
        folder = ("turned", str(turned))
        first = [Measurement("turned_test", folder, init) for init in ("oracle", "box")]
        measurements = [*first, *measurements]
    if clips is not None:
        measurements.insert(0, Measurement("clips", ("clips", str(clips)), "video"))
    return measurements


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("models", nargs="*", default=["fast", "nano"])
    parser.add_argument("--data", type=Path, required=True, help="face pack, aflw2000 and cfp")
    parser.add_argument("--turned", type=Path, help="a test set of mien data profile")
    parser.add_argument("--clips", type=Path, help="clips of mien data video; 40 take minutes")
    parser.add_argument("--speed", type=Path, metavar="CLIP", help="also measure speed, with it")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--jobs", type=int, default=2, help="processes at once")
    arguments = parser.parse_args()
    out, data = arguments.out, arguments.data
    names = {model: read_card(find_weights(model).tracking).name for model in arguments.models}
    start_secs = time.perf_counter()
    planned = plan(data, arguments.turned, arguments.clips)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        done = [
            pool.submit(_evaluate, one, model, one.file(out, name))
            for one in planned
            for model, name in names.items()
        ]
        done += [
            pool.submit(
                _script, "steadiness.py", ["--data", str(data)], model,
                out / f"{name}.steadiness.json",
            )
            for model, name in names.items()
        ]  # fmt: skip
        failed = sum(not one.result() for one in done)
    print(f"{len(done) - failed} of {len(done)} in {time.perf_counter() - start_secs:.0f} s")
    for model, name in names.items() if arguments.speed is not None else ():
        clip = arguments.speed
        failed += not _script("speed.py", [], model, out / f"{name}.cost.json")
        told = out / f"{name}.{clip_name(clip)}.speed.json"
        failed += not _script("speed.py", [str(clip)], model, told)
    if not failed and out == HERE / "results":
        for script in ("readme_table.py", "headline.py"):
            subprocess.run([sys.executable, str(HERE / script)], check=True)
    sys.exit(failed > 0)


def clip_name(clip: Path) -> str:
    """`wolfganglanger` of WolfgangLanger_Pexels.mp4."""
    return clip.stem.split("_")[0].lower()


def _script(script: str, words: list[str], model: str, file: Path) -> bool:
    place = [*words, "--model", model, "--out", str(file)]
    return _run([str(HERE / script), *place], file)


def _evaluate(one: Measurement, model: str, file: Path) -> bool:
    """Run it in a process of its own; whether it came to its end."""
    words = ["evaluate", *one.words, "--model", model, "--threads", "1"]
    words += ["--init", one.init] if one.init != "video" else []
    words += ["--mirror"] if one.mirror else []
    words += ["--careful"] if one.careful else []
    passed = _run(["-c", _MIEN, *words, "--json", str(file)], file)
    if passed:  # else a second call goes on with them; rows of faces are not committed
        for left in [*file.parent.glob(f"{file.stem}.*.npz"), *file.parent.glob("*.faces.csv.gz")]:
            if left.name.startswith(f"{file.stem}."):
                left.unlink(missing_ok=True)
    return passed


def _run(words: list[str], file: Path) -> bool:
    start_secs = time.perf_counter()
    ran = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    passed = ran.returncode == 0
    print(f"{file.name}: {time.perf_counter() - start_secs:.0f} s", flush=True)
    print(ran.stdout if passed else ran.stderr, flush=True)
    return passed


if __name__ == "__main__":
    main()

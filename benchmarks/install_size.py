"""What `pip install .` brings, in MB, and which packages make it.

    python benchmarks/install_size.py SOURCE --out FILE.json [--before OLDER.json]

SOURCE is a checkout. A virtual environment is made for it and thrown away; what the environment
itself holds (pip and, up to Python 3.11, setuptools) is counted apart. `--before` keeps the figures
of an older file beside the new ones.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import tempfile
import venv
from pathlib import Path
from typing import Any

OWN = ("pip", "setuptools", "pkg_resources", "_distutils_hack")
LISTED_MB = 1.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("source", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--before", type=Path)
    arguments = parser.parse_args()
    kept = {
        "command": "python benchmarks/install_size.py . --out benchmarks/results/install_size.json",
        "now": measure(arguments.source),
    }
    if arguments.before is not None:
        kept["before"] = json.loads(arguments.before.read_text())["now"]
    arguments.out.write_text(json.dumps(kept, indent=1) + "\n")
    print(json.dumps({name: kept[name]["brought_mb"] for name in kept if name != "command"}))


def measure(source: Path) -> dict[str, Any]:
    """Of a fresh virtual environment with the checkout installed."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "venv"
        venv.create(place, with_pip=True)
        empty = size_mb(place)
        python = str(place / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", str(source.resolve())], check=True)
        (packages,) = place.glob("lib/python*/site-packages")
        sizes = {
            path.name: round(size_mb(path), 1)
            for path in packages.iterdir()
            if path.name not in OWN and size_mb(path) >= LISTED_MB
        }
        full = size_mb(place)
        words = [python, "-m", "pip", "list", "--format", "json"]
        listed = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return {
        "python": platform.python_version(),
        "environment_mb": round(full, 1),
        "empty_environment_mb": round(empty, 1),
        "brought_mb": round(full - empty, 1),
        "versions": {one["name"]: one["version"] for one in listed if one["name"] not in OWN},
        "folders_mb": dict(sorted(sizes.items(), key=lambda item: -item[1])),
    }


def size_mb(place: Path) -> float:
    """Bytes of files, in millions of 1,048,576, as `du -m` counts; links are not followed."""
    files = [place] if place.is_file() else [one for one in place.rglob("*") if one.is_file()]
    return sum(one.lstat().st_size for one in files if not one.is_symlink()) / 2**20


if __name__ == "__main__":
    main()

"""What ``import mien`` promises, and what it does not cost."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import mien

NAMES = {
    "Box",
    "Face",
    "Frame",
    "HeadPose",
    "Landmarks",
    "MienError",
    "Tracker",
    "TrackerSettings",
    "__version__",
    "evaluate",
    "find_faces",
    "load_markup",
    "load_tracker",
    "to_dataframe",
    "track",
}


def test_the_public_names_are_these() -> None:
    assert set(mien.__all__) == NAMES
    assert len(NAMES) <= 15
    for name in NAMES:
        assert getattr(mien, name) is not None
    assert set(dir(mien)) == NAMES


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(mien, "nonesuch")


def test_importing_the_package_and_its_command_loads_no_network() -> None:
    """torch, onnxruntime and OpenCV take seconds: ``mien --help`` must not wait for them."""
    code = (
        "import sys, mien, mien.cli;"
        "print([name for name in ('torch', 'onnxruntime', 'cv2', 'scipy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_tracking_videos_never_loads_torch() -> None:
    code = "import sys, mien.pipeline, mien.cli.models; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_one_version_everywhere() -> None:
    root = Path(__file__).parents[1]
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## (\S+)", changelog, re.MULTILINE)
    assert headings[0] == mien.__version__
    cited = re.findall(r"^version: (\S+)$", (root / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited == [mien.__version__]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["dynamic"] == ["version"]  # the wheel's, from the one place
    assert project["tool"]["hatch"]["version"]["path"] == "src/mien/version.py"
    asked = ["git", "-C", str(root), "tag", "--list", "v*"]
    try:
        tags = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):  # an sdist is no repository
        tags = []
    assert {tag.removeprefix("v") for tag in tags} <= set(headings)


def test_the_version_is_read_in_one_place() -> None:
    package = Path(mien.__file__).parent
    readers = [
        path
        for path in package.rglob("*.py")
        if re.search(r"metadata.version|importlib.metadata", path.read_text())
    ]
    assert readers == []

"""The environment that MediaPipe runs in: it needs numpy below 2, so it gets one of its own."""

from __future__ import annotations

import os
import subprocess
import tempfile
import venv
from pathlib import Path

__all__ = ["DEFAULT", "mediapipe_environment", "run_there"]

DEFAULT = Path(tempfile.gettempdir()) / "mien-rivals"
_PACKAGES = ("mediapipe==0.10.21", "av>=14,<20")


def mediapipe_environment(folder: Path = DEFAULT) -> Path:
    """Its Python; the environment is made by pip if it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
        subprocess.run([str(python), "-m", "pip", "install", "-q", *_PACKAGES], check=True)
    return python


def run_there(python: Path, script: Path, *words: str) -> str:
    """What a script prints there; MediaPipe's own log is dropped."""
    environment = {**os.environ, "GLOG_minloglevel": "3", "PYTHONPATH": ""}
    command = [str(python), str(script), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return done.stdout

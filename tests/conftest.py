"""What several folders of tests share. importlib mode puts no folder on the path: this one does,
so that ``import standin`` works everywhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def standin_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weight file that follows bright squares."""
    from standin import write_standin

    return write_standin(tmp_path_factory.mktemp("weights") / "standin.onnx")

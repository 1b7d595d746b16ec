"""What several folders of tests share. importlib mode puts no folder on the path: this one does,
so that ``import standin`` works everywhere."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import hypothesis
import pytest
from jaxtyping import install_import_hook

# Started in the background a shell has Ctrl-C ignored, and what the tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.path.insert(0, str(Path(__file__).parent))
# An example takes as long as the machine is busy.
hypothesis.settings.register_profile("mien", deadline=None)
hypothesis.settings.load_profile("mien")
# Before anything imports mien: from here on its types, and the shapes of arrays, are checked at
# every call.
install_import_hook("mien", "shapecheck.check")


@pytest.fixture(scope="session")
def standin_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weight file that follows bright squares."""
    from standin import write_standin

    return write_standin(tmp_path_factory.mktemp("weights") / "standin.onnx")

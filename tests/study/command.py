"""The command, in this process or in one that can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from scene import Done

from mien.cli import main

_OFTEN = """
import functools, sys
import mien.cli.track_run as track_run
from mien.cli import main
if __name__ == "__main__":
    track_run.ShardSpec = functools.partial(track_run.ShardSpec, checkpoint_secs=0.05)
    main(sys.argv[1:])
"""
"""``mien`` with twenty checkpoints a second in place of one a minute."""


def mien(capsys: pytest.CaptureFixture[str], *words: object) -> Done:
    """Run it; it must end by itself."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    shown = capsys.readouterr()
    code = ended.value.code
    return Done(code if isinstance(code, int) else 0, shown.out, shown.err)


@contextmanager
def started(folder: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    """Start it in a session of its own."""
    script = folder / "often.py"
    script.write_text(_OFTEN)
    process = subprocess.Popen(
        [sys.executable, str(script), *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()

"""``python -m mien``, and what the script ``mien`` calls: the command.

Loading it takes a tenth of a second, more on a cold disk. Who presses Ctrl-C or sends SIGTERM
meanwhile gets the exit code that he gets later, and no traceback from inside an import.
"""

import os
import signal

_INTERRUPTED = 130


def main() -> None:
    """Run the command and exit."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # Windows has no SIGHUP
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            # Nothing is open yet. An exception would end in whatever is loading.
            signal.signal(number, lambda *_: os._exit(_INTERRUPTED))
    from mien.cli import main as run

    run()


if __name__ == "__main__":
    main()

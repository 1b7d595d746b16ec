"""``python -m mien``, and what the script ``mien`` calls: the command.

Loading it takes a tenth of a second, more on a cold disk. Who presses Ctrl-C or sends SIGTERM
meanwhile gets the exit code that he gets later, and no traceback from inside an import; nor from
the end, when Python clears away. What Python does before the first line here is its own.
"""

from mien.interrupts import INTERRUPTED, exit_at_once


def main() -> None:
    """Run the command and exit."""
    exit_at_once()
    try:
        from mien.cli import main as run

        run()
    except KeyboardInterrupt:  # between two answers
        raise SystemExit(INTERRUPTED) from None
    finally:
        exit_at_once()


if __name__ == "__main__":
    main()

"""``python -m mien``, and what the script ``mien`` calls: the command.

Loading it takes a tenth of a second, more on a cold disk. Who presses Ctrl-C or sends SIGTERM
meanwhile gets the exit code that he gets later, and no traceback from inside an import.
"""

from mien.interrupts import exit_at_once


def main() -> None:
    """Run the command and exit."""
    exit_at_once()
    from mien.cli import main as run

    run()


if __name__ == "__main__":
    main()

"""The command line, as ``python -m xwidgets``."""

import sys

from .commands.command_line import main

if __name__ == "__main__":
    sys.exit(main())

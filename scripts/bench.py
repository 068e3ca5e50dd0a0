"""Time the model: `python scripts/bench.py --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.command_line import main

if __name__ == "__main__":
    sys.exit(main())

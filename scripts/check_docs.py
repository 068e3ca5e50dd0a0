"""Check that no number in README and docs has drifted: `--help` says how."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.reports.checking import main

if __name__ == "__main__":
    sys.exit(main())

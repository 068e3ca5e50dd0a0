"""Build the site, serve it, or pack it into a zip that opens by a double click.

Needs the extra `docs`. Exit code 1 where the sources have a mistake.

Examples:
  python scripts/site.py build            into site/
  python scripts/site.py build --out DIR  into DIR
  python scripts/site.py serve            build, then http://127.0.0.1:8000
  python scripts/site.py zip              build, then dist/literate-moe-site.zip
"""

import logging
import os
import sys
from pathlib import Path

from console import Parser, run_main


def main() -> int:
    """Run the command line; return the exit code."""
    parser = Parser(__doc__)
    parser.add_argument("command", choices=("build", "serve", "zip"))
    parser.add_argument("--out", type=Path, default=Path("site"), metavar="DIR")
    options = parser.parse_args()
    try:
        from sitebuild import delivery, pipeline
        from sitebuild.errors import SiteError
    except ModuleNotFoundError as error:
        parser.error(f"{error.name} is missing: pip install 'literate-moe[docs]'")
    # MkDocs says what is wrong with a page before it gives up.
    logging.basicConfig(format="%(levelname)s: %(message)s", level=logging.WARNING)
    try:
        pipeline.build(options.out.resolve())
    except SiteError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if options.command == "serve":
        delivery.serve(options.out)
    elif options.command == "zip":
        delivery.pack(options.out, Path("dist/literate-moe-site.zip"))
    return 0


if __name__ == "__main__":
    # MkDocs' plugins order some links by hash: with a fixed seed the same input gives
    # the same bytes. Python reads the seed when it starts.
    if os.environ.get("PYTHONHASHSEED") != "0":
        os.execve(sys.executable, sys.orig_argv, os.environ | {"PYTHONHASHSEED": "0"})
    run_main(main)

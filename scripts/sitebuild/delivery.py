"""What to do with a built site: serve it or pack it."""

import functools
import http.server
import time
import zipfile
from pathlib import Path

from sitebuild.pipeline import EPOCH

_PORT = 8000


def serve(site: Path) -> None:
    """Serve a built site on this machine until interrupted."""
    handler = functools.partial(
        http.server.SimpleHTTPRequestHandler, directory=str(site)
    )
    with http.server.ThreadingHTTPServer(("127.0.0.1", _PORT), handler) as server:
        print(f"http://127.0.0.1:{_PORT}")
        server.serve_forever()


def pack(site: Path, archive: Path) -> None:
    """Pack a built site; the same site gives the same bytes."""
    archive.parent.mkdir(exist_ok=True)
    date = time.gmtime(EPOCH)[:6]
    with zipfile.ZipFile(archive, "w") as packed:
        for path in sorted(site.rglob("*")):
            if path.is_file():
                name = f"{archive.stem}/{path.relative_to(site).as_posix()}"
                entry = zipfile.ZipInfo(name, date)
                entry.compress_type = zipfile.ZIP_DEFLATED
                packed.writestr(entry, path.read_bytes())
    print(archive)

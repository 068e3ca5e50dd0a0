"""The site, built once for all tests. Needs the extra `docs`."""

from pathlib import Path

import pytest
from sitebuild import pipeline


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the built site."""
    folder = tmp_path_factory.mktemp("site")
    pipeline.build(folder)
    return folder

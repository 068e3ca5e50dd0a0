"""What the tests of the site share. They need the extra `docs`."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def site(built_site: Path) -> Path:
    """A folder with the built site."""
    return built_site

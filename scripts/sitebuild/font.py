"""The font of the formulas, cut down to what the pages show.

Without a font that knows mathematics a browser draws roots and big brackets badly.
STIX Two Math (SIL Open Font License) comes with the package ziamath; what the pages
do not use is left out.
"""

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset

from sitebuild import mathml

TARGET = "assets/fonts/mathematics.woff2"


def write(site: Path, pages: Iterable[str]) -> None:
    """Write the font for these pages."""
    options = subset.Options(
        flavor="woff2",
        hinting=False,
        layout_features=["ssty"],  # letters drawn for the small size of an index
        name_IDs=["*"],  # the licence among them
        recalc_timestamp=False,
    )
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(mathml.characters(pages))))
    target = site / TARGET
    target.parent.mkdir(parents=True, exist_ok=True)
    with subset.load_font(str(_source()), options) as font:
        subsetter.subset(font)
        subset.save_font(font, str(target), options)


def _source() -> Path:
    spec = importlib.util.find_spec("ziamath")
    assert spec is not None, "the extra `docs` installs ziamath"
    assert spec.origin is not None
    return Path(spec.origin).parent / "fonts" / "STIXTwoMath-Regular.ttf"

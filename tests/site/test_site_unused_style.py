"""What the build takes from the theme's style, and what it leaves."""

from pathlib import Path

import pytest
from sitebuild import unused_style

PAGE = '<p class="used made-up">text</p>'
SCRIPT = 'element.classList.add("made-by-script")'


@pytest.fixture
def styled(tmp_path: Path) -> Path:
    """A site of one page, one script, and the theme's style still to be written."""
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    style = tmp_path / "assets/stylesheets/main.0.min.css"
    for folder in (style.parent, tmp_path / "assets/javascripts"):
        folder.mkdir(parents=True)
    script = tmp_path / "assets/javascripts/bundle.js"
    script.write_text(SCRIPT, encoding="utf-8")
    return style


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a{}.used{color:red}", "a{}.used{color:red}"),
        ("a{}.unused{color:red}", "a{}"),
        ("a{}.made-by-script{top:0}", "a{}.made-by-script{top:0}"),
        ("a{}.used .unused,.used b{top:0}", "a{}.used b{top:0}"),
        ("a{}p:not(.unused){top:0}", "a{}p:not(.unused){top:0}"),
        ("a{}:is(.unused,.used) b{top:0}", "a{}:is(.unused,.used) b{top:0}"),
        (
            "a{}@media print{.unused{top:0}.used{top:0}}",
            "a{}@media print{.used{top:0}}",
        ),
        (":root{--a:1;--b:2}a{top:var(--b)}", ":root{--b:2}a{top:var(--b)}"),
        (':root{--a:url("x;<{>");--b:2}a{}', ":root{}a{}"),
    ],
)
def test_what_nothing_shows_is_left_out(styled: Path, before: str, after: str) -> None:
    styled.write_text(before, encoding="utf-8")
    unused_style.drop(styled.parents[2])
    assert styled.read_text(encoding="utf-8") == after

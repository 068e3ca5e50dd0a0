"""Widgets: a shell of HTML around the numbers that NumPy has computed for them.

The page carries everything: the numbers as JSON, so that it works from a file too, and
as a table for readers without JavaScript. The scripts are in `docs/assets/js/widgets/`.
"""

import json
from collections.abc import Callable
from html import escape

from sitebuild import widgets_golden, widgets_trained
from sitebuild.errors import SiteError
from sitebuild.widgets_golden import Golden

_FORMULAS: dict[str, Callable[[], Golden]] = {
    "rope": widgets_golden.rope,
    "balance": widgets_golden.load_balance,
    "adamw": widgets_golden.optimisers,
    "schedule": widgets_golden.schedule,
}
_OF_THE_TEXT_MODEL: dict[str, Callable[[], Golden]] = {
    "attention": widgets_trained.attention,
    "router": widgets_trained.expert_choice,
    "sampling": widgets_trained.sampling,
}
WIDGETS = {**_FORMULAS, **_OF_THE_TEXT_MODEL}

# Scripts that a widget needs besides its own, in the order in which they load.
_SHARED = ("frame", "chart")


def html(stem: str, up: str) -> str:
    """The widget of a stem.

    Args:
        stem: Whose widget.
        up: From the page to the top of the site.

    Raises:
        SiteError: If the stem has no widget.
    """
    if stem not in WIDGETS:
        raise SiteError(f"no widget for {stem!r}; there are {', '.join(WIDGETS)}")
    golden = WIDGETS[stem]()
    scripts = [*_SHARED, *(["text-model"] if stem in _OF_THE_TEXT_MODEL else []), stem]
    tags = "".join(
        f'<script src="{up}assets/js/widgets/{name}.js"></script>' for name in scripts
    )
    return (
        f'<section class="widget" id="widget-{stem}" data-search-exclude '
        f'aria-label="{escape(golden.name)}">'
        f'<link rel="stylesheet" href="{up}assets/css/widgets.css">'
        f'<p class="widget-name">{escape(golden.name)}</p>'
        f"{_table(golden)}"
        f'<script type="application/json">{_json(golden)}</script>'
        f"{tags}</section>"
    )


def _json(golden: Golden) -> str:
    data = {**golden.data, "golden": golden.points}
    # `</script>` in a text would end the element.
    return json.dumps(data, separators=(",", ":")).replace("<", r"\u003c")


def _table(golden: Golden) -> str:
    """The first golden point, for those who read without JavaScript."""
    head = "".join(f"<th>{escape(title)}</th>" for title in golden.head)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"
        for row in golden.rows
    )
    return (
        f"<details open><summary>{escape(golden.caption)}</summary>"
        '<div class="table-scroll" role="group" tabindex="0" '
        f'aria-label="Numbers: {escape(golden.name)}">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        "</div></details>"
    )

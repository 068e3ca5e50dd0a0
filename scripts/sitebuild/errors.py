"""The one kind of error that a mistake in the sources raises."""


class SiteError(Exception):
    """A mistake in the sources of the site, said in one line."""

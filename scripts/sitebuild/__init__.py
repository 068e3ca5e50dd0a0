"""Builds the site: expands the placeholders of `docs/`, then runs MkDocs.

`pipeline` is the way from sources to pages; `placeholders` knows what may stand
between double braces; every other module makes one kind of generated part.
"""

"""The verifier verified: wrong versions of the shipped code that its tests must catch.

`catalogue` collects the mutants of every stem and the harmless rewrites; `harness`
runs the tests of one entry against one of them. The command line is
`scripts/mutants.py`.
"""

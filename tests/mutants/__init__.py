"""The verifier verified: wrong versions of the shipped code that its tests must catch.

`catalogue` collects the mutants of every module and the harmless rewrites; `harness`
has the tests of one entry run against one of them. The command line is
`scripts/mutants.py`.
"""

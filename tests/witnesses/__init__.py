"""Four independent witnesses for every entry: symbols, differences, oracle, properties.

`symbols` runs the shipped functions on expressions, `differences` perturbs their
arguments, `pairs` says what a forward/backward pair is. Oracles (slow loops) and
properties stand in the test file of each stem.
"""

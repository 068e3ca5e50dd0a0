"""Documents held to the mathematics: LaTeX read back and compared with derivations."""

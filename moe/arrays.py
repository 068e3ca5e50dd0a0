"""The two types in every signature."""

from typing import Any, TypeAlias

import numpy as np

# Any dtype: one source runs on floats, complex numbers and symbols.
Array: TypeAlias = np.ndarray[Any, np.dtype[Any]]

# What a forward keeps for its backward; packed in its last line, unpacked in the
# backward's first.
Cache: TypeAlias = tuple[Any, ...]

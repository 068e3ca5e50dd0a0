"""Numbers with units, as people write them: three digits and the prefix that fits."""

import math

PREFIXES = {
    "s": ((1, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")),
    "B": ((2**30, "GiB"), (2**20, "MiB"), (2**10, "KiB"), (1, "B")),
    "B/s": ((1e9, "GB/s"), (1e6, "MB/s"), (1, "B/s")),
    "FLOP": ((1e9, "GFLOP"), (1e6, "MFLOP"), (1e3, "kFLOP"), (1, "FLOP")),
    "FLOP/s": ((1e9, "GFLOP/s"), (1e6, "MFLOP/s"), (1, "FLOP/s")),
    "token/s": ((1e3, "ktoken/s"), (1, "token/s")),
    "instruction": ((1e6, "million instructions"), (1, "instructions")),
}
FACTORS = {
    unit: (factor, unit) for table in PREFIXES.values() for factor, unit in table
}


def significant(value: float, digits: int = 3) -> str:
    """`value` with so many significant digits, never in powers of ten.

    Args:
        value: Any finite number.
        digits: At least 1; whole numbers keep all theirs.

    Returns:
        For example `0.00123`, `1.20`, `123`, `12345`.
    """
    if value == 0:
        return "0"
    # Rounding may carry: 9.999 is 10.0, which needs one decimal less.
    rounded = float(f"{value:.{digits - 1}e}")
    magnitude = math.floor(math.log10(abs(rounded)))
    return f"{value:.{max(0, digits - 1 - magnitude)}f}"


def with_unit(value: float, unit: str, digits: int = 3) -> str:
    """A quantity in a unit.

    Args:
        value: In base units: seconds, bytes, operations, or a plain ratio.
        unit: A base unit of `PREFIXES` (the prefix is then chosen), one prefixed
            unit, `%` of a share, `x` for a ratio, or empty for a plain number.
        digits: Significant digits.

    Returns:
        For example `1.14 ms`, `62 %`, `1.70 x`.

    Raises:
        ValueError: If the unit is unknown.
    """
    if unit == "":
        return significant(value, digits)
    if unit == "x":
        return f"{significant(value, digits)} x"
    if unit == "%":
        return f"{significant(100 * value, digits)} %"
    if unit in PREFIXES:
        # Compared after rounding: 999.9 us is written 1.00 ms.
        rounded = abs(float(f"{value:.{digits - 1}e}"))
        table = PREFIXES[unit]
        factor, name = next((row for row in table if rounded >= row[0]), table[-1])
    elif unit in FACTORS:
        factor, name = FACTORS[unit]
    else:
        raise ValueError(f"unknown unit {unit!r}")
    return f"{significant(value / factor, digits)} {name}"

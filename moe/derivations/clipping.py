"""Clipping: shorter, in the same direction (E17)."""

from sympy import Max, Min, Sum, sqrt

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import array, index, number, size

A, n = size("A"), size("n")
a, b = index("a", A), index("b", A)
i, j = index("i", n), index("j", n)
g, h = array("g"), array("h")
c, nu, phi = (number(name, positive=True) for name in ("c", "nu", "phi"))

EQUATION = (
    Equation("17a", nu, sqrt(Sum(g[a, i] ** 2, a, i))),
    Equation("17b", phi, Min(1, c / nu)),
    Equation("17b", h[a, i], g[a, i] * phi),
)

SYMBOLS = (
    Symbol(A, "len(gradients)", (), "number of tensors"),
    Symbol(n, "gradients[0].size", (), "numbers in each, here equally many"),
    Symbol(g[a, i], "gradients", (A, n), "gradients"),
    Symbol(c, "max_norm", (), "largest norm allowed"),
    Symbol(nu, "norm", (), "norm of all the gradients, taken as one vector"),
    Symbol(phi, "factor", (), "what every gradient is multiplied by"),
    Symbol(h[a, i], "gradients * factor", (A, n), "gradients after clipping"),
)

FACTOR = Chain(
    title="One quotient for both cases",
    target=phi,
    start=Min(1, c / nu),
    steps=(
        Step(
            "the smaller quotient has the larger divisor",
            "1 is c/c. The divisor is at least c, so a gradient of zero needs no "
            "case of its own: its factor is c/c.",
            c / Max(nu, c),
        ),
    ),
)

LENGTH = Chain(
    title="Norm after clipping",
    target=Sum(h[a, i] ** 2, a, i),
    start=Sum(h[a, i] ** 2, a, i),
    steps=(
        Step(
            "factor out",
            "All tensors have the same factor; it leaves the sum squared.",
            phi**2 * Sum(g[a, i] ** 2, a, i),
        ),
        Step(
            "name what is known",
            "The sum is the square of the norm before (17a).",
            (phi * nu) ** 2,
        ),
        Step(
            "multiply a minimum by a positive number",
            "min(1, c/nu) nu is min(nu, c): what was longer than c is now c long, "
            "and what was not is as it was.",
            Min(nu, c) ** 2,
        ),
    ),
)

DIRECTION = Chain(
    title="The direction stays",
    target=h[a, i] / h[b, j],
    start=h[a, i] / h[b, j],
    steps=(
        Step(
            "insert (17b), then cancel",
            "Any two numbers, of one tensor or of two, keep their ratio. Had each "
            "tensor a factor of its own, the step would turn.",
            g[a, i] / g[b, j],
        ),
    ),
)

DERIVATIONS = (Derivation("E17", EQUATION, SYMBOLS, (FACTOR, LENGTH, DIRECTION)),)

"""AdamW: bias correction by unrolling, and what decoupling changes (E16)."""

from sympy import Idx, Integer, Sum, sqrt

from moe.derivations.chain import Chain, Derivation, Equation, Step, Symbol
from moe.derivations.notation import array, index, number, size

t = size("t")
r = Idx("r", (1, t))  # steps are counted from 1, and 0 is before the first
q = index("q", t + 1)
g, m, v = map(array, ("g", "m", "v"))
W, updated, penalised = map(number, ("W", "W'", "W_L2"))
eta, lam, G = map(number, ("eta", "lambda", "G"))
m_hat, v_hat = number("mhat"), number("vhat")
beta1, beta2, eps, R = (
    number(name, positive=True) for name in ("beta_1", "beta_2", "epsilon", "R")
)

EQUATION = (
    Equation("16a", m[0], Integer(0)),
    Equation("16a", m[r], beta1 * m[r - 1] + (1 - beta1) * g[r]),
    Equation("16b", v[0], Integer(0)),
    Equation("16b", v[r], beta2 * v[r - 1] + (1 - beta2) * g[r] ** 2),
    Equation("16c", m_hat, m[t] / (1 - beta1**t)),
    Equation("16c", v_hat, v[t] / (1 - beta2**t)),
    Equation("16d", updated, W - eta * lam * W - eta * m_hat / (sqrt(v_hat) + eps)),
)

SYMBOLS = (
    Symbol(t, "step", (), "number of the step"),
    Symbol(g[r], "gradient", (t + 1,), "one gradient at each step from 1 to t"),
    Symbol(m[r], "m", (t + 1,), "first moment after each step"),
    Symbol(v[r], "v", (t + 1,), "second moment after each step"),
    Symbol(m_hat, "m / bias1", (), "first moment, corrected"),
    Symbol(v_hat, "v / bias2", (), "second moment, corrected"),
    Symbol(beta1, "betas[0]", (), "share of the first moment that stays"),
    Symbol(beta2, "betas[1]", (), "share of the second moment that stays"),
    Symbol(eta, "learning_rate", (), "learning rate"),
    Symbol(lam, "weight_decay", (), "weight decay"),
    Symbol(eps, "eps", (), "keeps the quotient finite"),
    Symbol(W, "weight", (), "one weight, before step t"),
    Symbol(updated, "updated", (), "the same weight, after step t"),
    Symbol(penalised, "", (), "what Adam with an L2 penalty would make of it"),
    Symbol(G, "", (), "a gradient that is the same at all steps"),
    Symbol(R, "sqrt(v / bias2) + eps", (), "what the step is divided by"),
)

FIRST_MOMENT = Chain(
    title="First moment, unrolled",
    target=m[t],
    start=m[t],
    steps=(
        Step(
            "insert (16a)",
            "A share beta of the moment before stays.",
            beta1 * m[t - 1] + (1 - beta1) * g[t],
        ),
        Step(
            "insert (16a)",
            "For the step before: every step multiplies all that is older by beta.",
            beta1**2 * m[t - 2] + (1 - beta1) * (beta1 * g[t - 1] + g[t]),
        ),
        Step(
            "insert (16a) down to step 1",
            "The gradient of step q has aged by t - q steps.",
            beta1**t * m[0] + (1 - beta1) * Sum(beta1 ** (t - q) * g[q], (q, 1, t)),
        ),
        Step(
            "initial value",
            "The moment is 0 before the first step: a weighted sum of all gradients "
            "so far remains.",
            (1 - beta1) * Sum(beta1 ** (t - q) * g[q], (q, 1, t)),
        ),
    ),
)

SECOND_MOMENT = Chain(
    title="Second moment, unrolled",
    target=v[t],
    start=v[t],
    steps=(
        Step(
            "insert (16b) down to step 1",
            "The same recurrence, of the squares.",
            (1 - beta2) * Sum(beta2 ** (t - q) * g[q] ** 2, (q, 1, t)),
        ),
    ),
)

WEIGHTS = Chain(
    title="The weights sum to less than 1",
    target=(1 - beta1) * Sum(beta1 ** (t - q), (q, 1, t)),
    start=(1 - beta1) * Sum(beta1 ** (t - q), (q, 1, t)),
    steps=(
        Step(
            "multiply out",
            "Each weight is a power of beta minus the next.",
            Sum(beta1 ** (t - q) - beta1 ** (t - q + 1), (q, 1, t)),
        ),
        Step(
            "telescoping sum",
            "All but the first and the last power cancel. What is missing to 1 is "
            "the weight of m[0] = 0, which pulls the moment towards 0.",
            1 - beta1**t,
        ),
    ),
)

CORRECTION = Chain(
    title="The correction makes it a mean",
    target=(1 - beta1) * Sum(beta1 ** (t - q) * G, (q, 1, t)) / (1 - beta1**t),
    start=(1 - beta1) * Sum(beta1 ** (t - q) * G, (q, 1, t)) / (1 - beta1**t),
    steps=(
        Step(
            "factor out",
            "Let the gradient be the same at all steps, or have the same "
            "expectation: it leaves the sum.",
            G * (1 - beta1) * Sum(beta1 ** (t - q), (q, 1, t)) / (1 - beta1**t),
        ),
        Step(
            "insert the sum of the weights",
            "The division makes the weights sum to 1, and the moment is right from "
            "step 1 on. Uncorrected it would be (1 - beta) G there.",
            G,
        ),
    ),
)

MOVE = Chain(
    title="As the code moves the second moment",
    target=v[r],
    start=beta2 * v[r - 1] + (1 - beta2) * g[r] ** 2,
    steps=(
        Step(
            "rearrange",
            "The array of gradients already carries the factor of the first moment; "
            "its square needs one number to become the share of the second.",
            beta2 * v[r - 1]
            + (1 - beta2) / (1 - beta1) ** 2 * ((1 - beta1) * g[r]) ** 2,
        ),
    ),
)

UPDATE = Chain(
    title="As the code moves the weight",
    target=updated,
    start=W - eta * lam * W - eta * m_hat / (sqrt(v_hat) + eps),
    steps=(
        Step(
            "insert (16c)",
            "The corrections are two numbers for the whole step; the first joins "
            "the learning rate.",
            W
            - eta * lam * W
            - eta / (1 - beta1**t) * m[t] / (sqrt(v[t] / (1 - beta2**t)) + eps),
        ),
        Step(
            "factor out",
            "The decay shrinks the weight first, and sees neither moment.",
            W * (1 - eta * lam)
            - eta / (1 - beta1**t) * m[t] / (sqrt(v[t] / (1 - beta2**t)) + eps),
        ),
        Step(
            "expand the fraction",
            "By the root of the second correction: now no array needs to be "
            "corrected, only the learning rate and eps.",
            W * (1 - eta * lam)
            - eta
            * sqrt(1 - beta2**t)
            / (1 - beta1**t)
            * m[t]
            / (sqrt(v[t]) + eps * sqrt(1 - beta2**t)),
        ),
    ),
)

PENALTY = Chain(
    title="What an L2 penalty would do instead",
    target=penalised,
    start=W
    - eta
    * ((1 - beta1) * Sum(beta1 ** (t - q) * (g[q] + lam * W), (q, 1, t)))
    / (1 - beta1**t)
    / R,
    steps=(
        Step(
            "linearity",
            "A penalty adds lambda W to every gradient (W hardly moves in the few "
            "steps that count), so it goes through the moments: R is what they "
            "divide by, the root of the corrected second one plus eps.",
            W
            - eta
            * (
                m_hat
                + lam
                * W
                * ((1 - beta1) * Sum(beta1 ** (t - q), (q, 1, t)))
                / (1 - beta1**t)
            )
            / R,
        ),
        Step(
            "insert the sum of the weights",
            "The corrected mean of a constant is the constant.",
            W - eta * m_hat / R - eta * lam * W / R,
        ),
    ),
)

DIFFERENCE = Chain(
    title="AdamW minus Adam with a penalty",
    target=updated - penalised,
    start=(W - eta * lam * W - eta * m_hat / R)
    - (W - eta * m_hat / R - eta * lam * W / R),
    steps=(
        Step(
            "cancel",
            "With the same R the steps along the gradient are the same. The penalty "
            "divides the decay by R too, so weights with large gradients decay less; "
            "decoupled, all decay by the same rate.",
            eta * lam * W * (1 / R - 1),
        ),
    ),
)

CHAINS = (
    FIRST_MOMENT,
    SECOND_MOMENT,
    WEIGHTS,
    CORRECTION,
    MOVE,
    UPDATE,
    PENALTY,
    DIFFERENCE,
)

DERIVATIONS = (Derivation("E16", EQUATION, SYMBOLS, CHAINS),)

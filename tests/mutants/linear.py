"""Wrong and harmless versions of the linear layer (E03)."""

from mutants.harness import Change

E03 = ("E03", "moe.equations.linear")

MUTANTS = (
    Change(
        *E03,
        "x @ weight.T",
        "x @ weight.reshape(weight.shape[::-1])",
        "weights read as [in, out]",
    ),
    Change(*E03, "        y += bias", "        y -= bias", "bias subtracted"),
    Change(*E03, "        y += bias", "        pass", "bias forgotten"),
    Change(
        *E03,
        "y = x @ weight.T  #",
        "y = (x @ weight.T).astype(np.float32).astype(x.dtype)  #",
        "a single-precision buffer in a double-precision run",
    ),
    Change(
        *E03,
        "dx = dy @ weight  #",
        "dx = dy @ weight.reshape(weight.shape[::-1]).T  #",
        "dx: the weight's rows read as columns",
    ),
    Change(
        *E03,
        "np.matmul(dy.T, x, out=out)",
        "np.matmul(dy.T / len(dy), x, out=out)",
        "dweight: mean over tokens in place of sum",
    ),
    Change(
        *E03,
        "np.matmul(dy.T, x, out=out)",
        "np.matmul(dy.T, x)",
        "the caller's buffer is left alone",
    ),
    Change(
        *E03,
        "np.matmul(dy.T, x, out=out)",
        "np.add(dy.T @ x, 0 if out is None else out, out=out)",
        "dweight: added to what the buffer held",
    ),
    Change(
        *E03, "dy.sum(axis=0) if", "dy.mean(axis=0) if", "dbias: mean in place of sum"
    ),
    Change(*E03, "dy.sum(axis=0) if", "dy[0] if", "dbias: of the first token alone"),
    Change(
        *E03,
        " if has_bias else None",
        "",
        "a gradient for a bias that is not there",
    ),
)

HARMLESS = (
    Change(
        *E03,
        "dx = dy @ weight  #",
        "dx = (weight.T @ dy.T).T  #",
        "the transposed product, transposed",
    ),
    Change(
        *E03,
        "        y += bias",
        "        y = bias + y",
        "the bias first, in an array of its own",
    ),
)

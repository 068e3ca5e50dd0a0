"""The 21 entries, as data: what is claimed, where it is written, derived and coded.

This table is the spine of the project. Tests, pages, README and the traceability
matrix are driven by it; it names things by dotted path and imports none of them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One equation and all that belongs to it.

    Attributes:
        id: `E01` to `E21`.
        stem: Name of its module, page, derivation and test file.
        title: What the field calls it.
        formula: The equation in a line of plain text.
        forward: Name of the function in `moe.equations.<stem>` that computes it.
        backward: Name of its gradient function, or None where there is none.
        helpers: Other public functions of the module that serve this entry.
        uses: Ids of the entries that its mathematics contains.
    """

    id: str
    stem: str
    title: str
    formula: str
    forward: str
    backward: str | None = None
    helpers: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """Dotted path of the module that implements it."""
        return f"moe.equations.{self.stem}"

    @property
    def derivation(self) -> str:
        """Dotted path of the SymPy derivation."""
        return f"moe.derivations.{self.stem}"

    @property
    def page(self) -> str:
        """Page and anchor, relative to `docs/`."""
        return f"equations/{self.stem}.md#{self.id}"

    @property
    def tests(self) -> str:
        """Test file, relative to the repository."""
        return f"tests/equations/test_{self.stem}.py"

    @property
    def functions(self) -> tuple[str, ...]:
        """Names of all its functions, forward first."""
        backward = () if self.backward is None else (self.backward,)
        return (self.forward, *backward, *self.helpers)


ENTRIES = (
    Entry(
        "E01",
        "embedding",
        "Embedding",
        "x_t = W[id_t]",
        "embedding",
        "embedding_backward",
    ),
    Entry(
        "E02",
        "rmsnorm",
        "RMSNorm",
        "y = x / sqrt(mean(x^2) + eps) * gamma",
        "rmsnorm",
        "rmsnorm_backward",
    ),
    Entry("E03", "linear", "Linear", "y = x W^T + b", "linear", "linear_backward"),
    Entry("E04", "swiglu", "SiLU", "y = x sigmoid(x)", "silu", "silu_backward"),
    Entry(
        "E05",
        "swiglu",
        "SwiGLU",
        "y = W_down (silu(W_gate x) * (W_up x))",
        "swiglu",
        "swiglu_backward",
        helpers=("gated_silu", "gated_silu_backward"),
        uses=("E03", "E04"),
    ),
    Entry(
        "E06",
        "softmax",
        "Softmax",
        "p_i = exp(x_i - max x) / sum_j exp(x_j - max x)",
        "softmax",
        "softmax_backward",
    ),
    Entry(
        "E07",
        "rope",
        "RoPE rotation",
        "pairs (2i, 2i+1) turned by m theta_i",
        "rope",
        "rope_backward",
        helpers=("rope_tables", "quarter_turn"),
        uses=("E08",),
    ),
    Entry(
        "E08",
        "rope",
        "RoPE frequencies",
        "theta_i = base^(-2i/d)",
        "rope_frequencies",
    ),
    Entry(
        "E09",
        "rope",
        "NTK-aware scaling",
        "base' = base alpha^(d/(d-2))",
        "ntk_base",
        uses=("E08",),
    ),
    Entry(
        "E10",
        "attention",
        "Causal grouped-query attention",
        "softmax(q k^T / sqrt(d_head) + mask) v",
        "attention",
        "attention_backward",
        helpers=("causal_mask", "fold_heads", "unfold_heads"),
        uses=("E06",),
    ),
    Entry(
        "E11",
        "experts",
        "Expert combine",
        "y_t = sum over chosen k of w_tk Expert_k(x_t)",
        "experts",
        "experts_backward",
        helpers=("dispatch",),
        uses=("E05", "E12"),
    ),
    Entry(
        "E12",
        "router",
        "Router gating",
        "softmax over all experts -> top-k -> renormalise",
        "router",
        "router_backward",
        uses=("E06",),
    ),
    Entry(
        "E13",
        "balance",
        "Load-balancing loss",
        "L = alpha N sum_i f_i P_i, f_i = assignments_i / (T k)",
        "balance",
        "balance_backward",
        uses=("E12",),
    ),
    Entry(
        "E14",
        "cross_entropy",
        "Cross-entropy",
        "mean_t (logsumexp(z_t) - z_t[target_t])",
        "cross_entropy",
    ),
    Entry(
        "E15",
        "cross_entropy",
        "Cross-entropy gradient",
        "(softmax(z) - onehot) / T",
        "cross_entropy_backward",
        uses=("E06", "E14"),
    ),
    Entry(
        "E16",
        "adamw",
        "AdamW",
        "bias-corrected moments, decoupled decay",
        "adamw",
    ),
    Entry(
        "E17",
        "clipping",
        "Global-norm clipping",
        "g <- g min(1, c / ||g||), norm over all tensors",
        "clip_factor",
    ),
    Entry(
        "E18",
        "schedule",
        "Linear warmup",
        "lr = base step / warmup",
        "linear_warmup",
    ),
    Entry(
        "E19",
        "schedule",
        "Cosine decay",
        "lr = min + (base - min)(1 + cos(pi progress))/2, progress in [0, 1]",
        "cosine_decay",
        helpers=("learning_rate",),
        uses=("E18",),
    ),
    Entry(
        "E20",
        "sampling",
        "Temperature",
        "p = softmax(z / T)",
        "temperature",
        helpers=("greedy", "draw"),
        uses=("E06",),
    ),
    Entry(
        "E21",
        "sampling",
        "Top-p",
        "smallest set of most likely tokens with mass >= p, renormalised",
        "top_p",
        helpers=("top_k", "renormalise"),
        uses=("E20",),
    ),
)

BY_ID = {entry.id: entry for entry in ENTRIES}

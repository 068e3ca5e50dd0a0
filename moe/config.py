"""The shape of a model and of a training run, frozen and validated."""

from dataclasses import dataclass, fields
from typing import Self

from moe.validation import integer, real, require


@dataclass(frozen=True)
class Config:
    """Shape of a model.

    Attributes:
        vocab_size: `V`, number of token ids.
        hidden_size: `C`, channels of a token.
        num_layers: `L`, number of blocks.
        num_heads: `H`, query heads.
        num_kv_heads: `G`, key/value heads; divides `num_heads`.
        head_dim: `D`, channels of a head; even, because RoPE turns pairs.
        num_experts: `E`, experts per layer.
        top_k: `K`, experts per token, at most `num_experts`.
        ffn_size: `F`, hidden units of an expert.
        max_seq_len: Longest sequence, in tokens.
        rope_base: Base of the RoPE frequencies.
        ntk_alpha: Stretch of the context (E09), at least 1.
        norm_eps: Epsilon of every RMSNorm.
        balance_alpha: Weight of the load-balancing loss (E13).
    """

    vocab_size: int
    hidden_size: int
    num_layers: int
    num_heads: int
    num_kv_heads: int
    head_dim: int
    num_experts: int
    top_k: int
    ffn_size: int
    max_seq_len: int
    rope_base: float = 10000.0
    ntk_alpha: float = 1.0
    norm_eps: float = 1e-5
    balance_alpha: float = 0.01

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.type is int:
                integer(field.name, getattr(self, field.name), least=1)
        integer("top_k", self.top_k, 1, self.num_experts)
        heads = f"a multiple of num_kv_heads = {self.num_kv_heads}"
        divides = self.num_heads % self.num_kv_heads == 0
        require(divides, "num_heads", self.num_heads, heads)
        even = self.head_dim % 2 == 0
        require(even, "head_dim", self.head_dim, "even, because RoPE turns pairs")
        real("rope_base", self.rope_base, "(1, inf)")
        real("ntk_alpha", self.ntk_alpha, "[1, inf)")
        stretchable = self.ntk_alpha == 1 or self.head_dim > 2
        require(stretchable, "head_dim", self.head_dim, "above 2 where ntk_alpha > 1")
        real("norm_eps", self.norm_eps, "(0, inf)")
        real("balance_alpha", self.balance_alpha, "[0, inf)")

    @classmethod
    def tiny(cls) -> Self:
        """542,528 parameters: the benchmarks and the convergence run."""
        return cls(1000, 64, 2, 4, 1, 16, 4, 2, 256, 512)

    @classmethod
    def small(cls) -> Self:
        """`tiny` four times as wide."""
        return cls(1000, 256, 2, 4, 1, 64, 4, 2, 1024, 512)

    @classmethod
    def full(cls) -> Self:
        """6.9 billion parameters, of which a token uses 1.8 billion."""
        return cls(32000, 768, 30, 12, 1, 64, 16, 4, 6144, 32768, ntk_alpha=8.0)

    @property
    def qkv_rows(self) -> int:
        """Rows of the fused query, key and value projection."""
        return (self.num_heads + 2 * self.num_kv_heads) * self.head_dim

    @property
    def num_parameters(self) -> int:
        """Exact number of parameters."""
        return self._count(self.num_experts)

    @property
    def num_active_parameters(self) -> int:
        """Parameters that one token uses: `top_k` of the experts, all else."""
        return self._count(self.top_k)

    def _count(self, experts: int) -> int:
        c, expert = self.hidden_size, 3 * self.hidden_size * self.ffn_size
        attention = self.qkv_rows * c + c * self.num_heads * self.head_dim
        layer = attention + self.num_experts * c + experts * expert + 2 * c
        return 2 * self.vocab_size * c + self.num_layers * layer + c


@dataclass(frozen=True)
class TrainingConfig:
    """How a model is trained.

    Attributes:
        learning_rate: Base rate, reached at the end of the warmup.
        min_learning_rate: Rate at the end of the cosine decay.
        warmup_steps: Steps of linear warmup, below `total_steps`.
        total_steps: Step at which the decay ends; training may go on.
        betas: Decay rates of the two AdamW moments.
        eps: AdamW's epsilon, outside the root.
        weight_decay: Decoupled decay of the matrices; gains have none.
        max_grad_norm: Global norm to which gradients are clipped.
        micro_batches: Parts into which a batch is split to save memory.
    """

    learning_rate: float = 3e-3
    min_learning_rate: float = 0.0
    warmup_steps: int = 10
    total_steps: int = 1000
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    weight_decay: float = 0.1
    max_grad_norm: float = 1.0
    micro_batches: int = 1

    def __post_init__(self) -> None:
        real("learning_rate", self.learning_rate, "(0, inf)")
        at_most = f"[0, {self.learning_rate}]"
        real("min_learning_rate", self.min_learning_rate, at_most)
        integer("total_steps", self.total_steps, least=1)
        integer("warmup_steps", self.warmup_steps, 0, self.total_steps - 1)
        require(len(self.betas) == 2, "betas", self.betas, "a pair of numbers")
        for beta in self.betas:
            real("betas", beta, "[0, 1)")
        real("eps", self.eps, "(0, inf)")
        real("weight_decay", self.weight_decay, "[0, inf)")
        real("max_grad_norm", self.max_grad_norm, "(0, inf)")
        integer("micro_batches", self.micro_batches, least=1)

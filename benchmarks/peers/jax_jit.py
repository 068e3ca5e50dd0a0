"""JAX: the model as one jitted function."""

import math
import os
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers import Peer
from benchmarks.scenarios import Scenario
from benchmarks.workloads import TRAINING, config_of, token_batch
from moe import Config, Model
from moe.equations.rope import ntk_base, rope_frequencies

# XLA takes no thread count: its pools are as large as the cores that the process may
# use, and short work goes to another thread unless it is told to stay in this one.
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
jax.config.update("jax_cpu_enable_async_dispatch", False)

Tree = dict[str, jax.Array]


def rms_norm(x: jax.Array, gain: jax.Array, eps: float) -> jax.Array:
    """Root-mean-square norm."""
    return x * jax.lax.rsqrt(jnp.mean(x * x, axis=-1, keepdims=True) + eps) * gain


def rotate(x: jax.Array, c: Config, start: int) -> jax.Array:
    """RoPE on interleaved pairs of `(B, T, H, D)`; the tables are constants."""
    base = ntk_base(c.rope_base, c.ntk_alpha, c.head_dim)
    positions = np.arange(start, start + x.shape[1])
    angles = positions[:, None] * rope_frequencies(c.head_dim, base)
    angles = np.repeat(angles, 2, axis=1)
    cos, sin = (f(angles).astype(np.float32)[:, None] for f in (np.cos, np.sin))
    pairs = x.reshape(*x.shape[:-1], -1, 2)
    turned = jnp.stack((-pairs[..., 1], pairs[..., 0]), axis=-1).reshape(x.shape)
    return x * cos + turned * sin


def attention(
    x: jax.Array, p: Tree, c: Config, start: int, past: tuple[jax.Array, ...] | None
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    """Grouped-query attention behind the keys and values of `past`."""
    batch, tokens, _ = x.shape
    qkv = (x @ p["qkv"].T).reshape(batch, tokens, -1, c.head_dim)
    turned = c.num_heads + c.num_kv_heads
    qk = rotate(qkv[:, :, :turned], c, start)
    q, k, v = qk[:, :, : c.num_heads], qk[:, :, c.num_heads :], qkv[:, :, turned:]
    if past is not None:
        k, v = (
            jnp.concatenate(pair, axis=1) for pair in zip(past, (k, v), strict=True)
        )
    q = q.reshape(batch, tokens, c.num_kv_heads, -1, c.head_dim)
    scores = jnp.einsum("btghd,bsgd->bghts", q, k) / math.sqrt(c.head_dim)
    causal = np.tril(np.ones((tokens, k.shape[1]), bool), k.shape[1] - tokens)
    weights = jax.nn.softmax(jnp.where(causal, scores, -jnp.inf))
    y = jnp.einsum("bghts,bsgd->btghd", weights, v).reshape(batch, tokens, -1)
    return y @ p["output"].T, (k, v)


def experts(x: jax.Array, p: Tree, c: Config) -> tuple[jax.Array, jax.Array]:
    """Every expert on every token: XLA wants shapes that do not depend on values."""
    probabilities = jax.nn.softmax(x @ p["router"].T)
    weights, chosen = jax.lax.top_k(probabilities, c.top_k)
    weights = weights / weights.sum(axis=-1, keepdims=True)
    one_hot = jax.nn.one_hot(chosen, c.num_experts)
    load = one_hot.mean(axis=(0, 1))
    loss = c.balance_alpha * c.num_experts * (load * probabilities.mean(axis=0)).sum()
    share = (one_hot * weights[..., None]).sum(axis=1)  # (N, E)
    gate, up = jnp.split(jnp.einsum("nc,efc->enf", x, p["gate_up"]), 2, axis=-1)
    parts = jnp.einsum("enf,ecf->enc", jax.nn.silu(gate) * up, p["down"])
    return jnp.einsum("enc,ne->nc", parts, share), loss


def forward(
    p: Tree, ids: jax.Array, c: Config, start: int = 0, past: Any = None
) -> tuple[jax.Array, jax.Array, Any]:
    """Logits, balance loss, keys and values."""
    x = p["embedding"][ids]
    balance: Any = 0.0
    kept = []
    for i in range(c.num_layers):
        prefix = f"layers.{i}."
        q = {n.removeprefix(prefix): t for n, t in p.items() if n.startswith(prefix)}
        before = None if past is None else past[i]
        y = rms_norm(x, q["attention_norm"], c.norm_eps)
        y, keys_values = attention(y, q, c, start, before)
        x = x + y
        flat = rms_norm(x, q["experts_norm"], c.norm_eps).reshape(-1, c.hidden_size)
        mixed, loss = experts(flat, q, c)
        x, balance = x + mixed.reshape(x.shape), balance + loss
        kept.append(keys_values)
    return rms_norm(x, p["final_norm"], c.norm_eps) @ p["lm_head"].T, balance, kept


def loss_of(p: Tree, ids: jax.Array, targets: jax.Array, c: Config) -> jax.Array:
    """Cross-entropy plus balance loss."""
    logits, balance, _ = forward(p, ids, c)
    chosen = jnp.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
    return (jax.nn.logsumexp(logits, axis=-1) - chosen).mean() + balance


def update(
    state: tuple[Tree, Tree, Tree, jax.Array], ids: Any, targets: Any, c: Config
) -> Any:
    """One step: gradient, global norm, AdamW with decay on matrices."""
    p, m, v, step = state
    loss, g = jax.value_and_grad(loss_of)(p, ids, targets, c)
    norm = jnp.sqrt(sum((t * t).sum() for t in g.values()))
    factor = jnp.minimum(1.0, TRAINING.max_grad_norm / norm)
    (beta1, beta2), rate, step = TRAINING.betas, TRAINING.learning_rate, step + 1
    for name in p:
        gradient = g[name] * factor
        m[name] = beta1 * m[name] + (1 - beta1) * gradient
        v[name] = beta2 * v[name] + (1 - beta2) * gradient * gradient
        root = jnp.sqrt(v[name] / (1 - beta2**step)) + TRAINING.eps
        decay = TRAINING.weight_decay if p[name].ndim > 1 else 0.0
        move = m[name] / (1 - beta1**step) / root
        p[name] = p[name] * (1 - rate * decay) - rate * move
    return (p, m, v, step), loss


def build(scenario: Scenario, seed: int) -> Peer:
    """Jitted JAX."""
    version = f"JAX {jax.__version__} jit"
    c = config_of(scenario)
    ours = Model.initialise(c, rng=seed).parameters.tensors
    p = {name: jnp.array(tensor) for name, tensor in ours.items()}
    ids, targets = map(jnp.array, token_batch(scenario, seed))
    if scenario.work == "train":
        zeros = {name: jnp.zeros_like(tensor) for name, tensor in p.items()}
        copy = {name: jnp.zeros_like(tensor) for name, tensor in p.items()}
        state = (p, zeros, copy, jnp.float32(0))
        step = jax.jit(partial(update, c=c), donate_argnums=0)

        def train() -> jax.Array:
            nonlocal state
            state, loss = step(state, ids, targets)
            jax.block_until_ready(state)
            return loss

        return Peer(version, train, np.asarray)
    new, past, start = ids, None, 0
    if scenario.work == "decode":
        past = jax.jit(partial(forward, c=c))(p, ids)[2]
        new, start = targets[:, -1:], scenario.seq

    @jax.jit
    def logits_of(p: Tree, ids: jax.Array, past: Any) -> jax.Array:
        return forward(p, ids, c, start, past)[0]

    return Peer(
        version, lambda: logits_of(p, new, past).block_until_ready(), np.asarray
    )

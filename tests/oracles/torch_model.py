"""The model in PyTorch, written from the equations, differentiated by autograd.

An oracle: it shares no code, no layout trick and no default with `moe`. Experts are
dense (every expert sees every token), heads are repeated, complex numbers rotate.
Tensors come by the names of `moe.parameters.tensor_shapes`.
"""

import math

import torch
from torch.nn import functional


def rms_norm(x, gain, eps):
    return x * torch.rsqrt((x**2).mean(-1, keepdim=True) + eps) * gain


def rotate(x, base):
    """Rotate `(B, T, H, D)` as complex numbers, pairs interleaved."""
    tokens, width = x.shape[1], x.shape[3]
    theta = base ** (-torch.arange(0, width, 2, dtype=x.dtype) / width)
    angle = torch.outer(torch.arange(tokens, dtype=x.dtype), theta)
    turn = torch.polar(torch.ones_like(angle), angle)
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], -1, 2))
    return torch.view_as_real(pairs * turn[:, None, :]).flatten(-2)


def attend(x, t, config):
    batch, tokens, _ = x.shape
    h, g, d = config.num_heads, config.num_kv_heads, config.head_dim
    base = config.rope_base * config.ntk_alpha ** (d / (d - 2))
    q, k, v = (x @ t["qkv"].T).split([h * d, g * d, g * d], dim=-1)
    q = rotate(q.view(batch, tokens, h, d), base).transpose(1, 2)
    k = rotate(k.view(batch, tokens, g, d), base).transpose(1, 2)
    v = v.view(batch, tokens, g, d).transpose(1, 2)
    k, v = (z.repeat_interleave(h // g, dim=1) for z in (k, v))
    y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return y.transpose(1, 2).reshape(batch, tokens, h * d) @ t["output"].T


def mix(x, t, config):
    """Expert sublayer on `(N, C)`; output and balance loss."""
    p = functional.softmax(x @ t["router"].T, dim=-1)
    best, chosen = p.topk(config.top_k, dim=-1)
    weights = best / best.sum(-1, keepdim=True)
    picked = functional.one_hot(chosen, config.num_experts).to(x.dtype)
    share = torch.einsum("nk,nke->ne", weights, picked)
    y = torch.zeros_like(x)
    for e in range(config.num_experts):
        gate, up = (x @ t["gate_up"][e].T).chunk(2, dim=-1)
        y = y + share[:, e : e + 1] * ((functional.silu(gate) * up) @ t["down"][e].T)
    load = picked.mean(dim=(0, 1))
    return y, config.balance_alpha * config.num_experts * (load * p.mean(0)).sum()


def forward(tensors, ids, config):
    """Logits `(B, T, V)` and balance loss.

    Args:
        tensors: Name to tensor.
        ids: `(B, T)` long tensor.
        config: `moe.Config`.
    """
    x = tensors["embedding"][ids]
    balance = 0.0
    for layer in range(config.num_layers):
        prefix = f"layers.{layer}."
        t = {
            n.removeprefix(prefix): w
            for n, w in tensors.items()
            if n.startswith(prefix)
        }
        x = x + attend(rms_norm(x, t["attention_norm"], config.norm_eps), t, config)
        normed = rms_norm(x, t["experts_norm"], config.norm_eps)
        y, loss = mix(normed.flatten(0, 1), t, config)
        x = x + y.view_as(x)
        balance = balance + loss
    return rms_norm(x, tensors["final_norm"], config.norm_eps) @ tensors[
        "lm_head"
    ].T, balance


def loss(tensors, ids, targets, config):
    """Cross-entropy and balance loss."""
    logits, balance = forward(tensors, ids, config)
    return functional.cross_entropy(logits.flatten(0, 1), targets.flatten()), balance


def clip(tensors, max_norm):
    """As `torch.nn.utils.clip_grad_norm_`, without the 1e-6 that it adds."""
    norm = torch.linalg.vector_norm(
        torch.cat([w.grad.flatten() for w in tensors.values()])
    )
    if norm > max_norm:
        for w in tensors.values():
            w.grad *= max_norm / norm


def train(tensors, ids, targets, config, training):
    """Optimise in place with PyTorch's own AdamW and scheduler.

    Args:
        tensors: Name to leaf tensor that requires a gradient.
        ids: `(S, B, T)` token ids, a batch for every step.
        targets: `(S, B, T)` targets.
        config: `moe.Config`.
        training: `moe.TrainingConfig`.

    Returns:
        Total loss of every step, before its update.
    """
    matrices = [w for w in tensors.values() if w.ndim > 1]
    gains = [w for w in tensors.values() if w.ndim == 1]
    optimiser = torch.optim.AdamW(
        [
            {"params": matrices, "weight_decay": training.weight_decay},
            {"params": gains, "weight_decay": 0.0},
        ],
        lr=training.learning_rate,
        betas=training.betas,
        eps=training.eps,
    )
    floor = training.min_learning_rate / training.learning_rate

    def share_of_base_rate(index):
        step = index + 1
        if step < training.warmup_steps:
            return step / training.warmup_steps
        span = training.total_steps - training.warmup_steps
        done = min(1.0, (step - training.warmup_steps) / span)
        return floor + (1 - floor) * 0.5 * (1 + math.cos(math.pi * done))

    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, share_of_base_rate)
    losses = []
    for batch, target in zip(ids, targets, strict=True):
        optimiser.zero_grad()
        total = sum(loss(tensors, batch, target, config))
        total.backward()
        clip(tensors, training.max_grad_norm)
        optimiser.step()
        schedule.step()
        losses.append(total.item())
    return losses

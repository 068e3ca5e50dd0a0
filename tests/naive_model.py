"""The whole model as slow loops, written from the equations and nothing else.

One token, one head, one expert at a time. It shares no code, no layout trick and no
default with `moe`: weights are read by name, every choice is spelled out.
"""

import math

import numpy as np


def rms_norm(x, gain, eps):
    return [
        v / math.sqrt(sum(u * u for u in x) / len(x) + eps) * g
        for v, g in zip(x, gain, strict=True)
    ]


def project(weight, x):
    return [sum(w * v for w, v in zip(row, x, strict=True)) for row in weight]


def softmax(scores):
    top = max(scores)
    parts = [math.exp(s - top) for s in scores]
    return [part / sum(parts) for part in parts]


def rotate(x, position, base):
    """Turn channels (2i, 2i + 1) of one head by position * base^(-2i/d)."""
    y = list(x)
    for i in range(len(x) // 2):
        angle = position * base ** (-2 * i / len(x))
        a, b = x[2 * i], x[2 * i + 1]
        y[2 * i] = a * math.cos(angle) - b * math.sin(angle)
        y[2 * i + 1] = a * math.sin(angle) + b * math.cos(angle)
    return y


def attend(xs, t, config):
    """Attention sublayer for all normalised tokens of one sequence."""
    heads, groups, d = config.num_heads, config.num_kv_heads, config.head_dim
    base = config.rope_base
    if d > 2:
        base *= config.ntk_alpha ** (d / (d - 2))
    rows = [project(t["qkv"], x) for x in xs]

    def head(row, index):
        return row[index * d : (index + 1) * d]

    outputs = []
    for m, row in enumerate(rows):
        joined = []
        for h in range(heads):
            group = h // (heads // groups)
            q = rotate(head(row, h), m, base)
            scores, values = [], []
            for n in range(m + 1):
                k = rotate(head(rows[n], heads + group), n, base)
                scores.append(
                    sum(a * b for a, b in zip(q, k, strict=True)) / math.sqrt(d)
                )
                values.append(head(rows[n], heads + groups + group))
            p = softmax(scores)
            joined += [sum(p[n] * values[n][c] for n in range(m + 1)) for c in range(d)]
        outputs.append(project(t["output"], joined))
    return outputs


def mix(x, t, config):
    """Expert sublayer for one normalised token; also its probabilities and choice."""
    p = softmax(project(t["router"], x))
    chosen = sorted(range(len(p)), key=lambda e: (-p[e], e))[: config.top_k]
    mass = sum(p[e] for e in chosen)
    y = [0.0] * len(x)
    for e in chosen:
        hidden = project(t["gate_up"][e], x)
        gate, up = hidden[: config.ffn_size], hidden[config.ffn_size :]
        h = [g / (1 + math.exp(-g)) * u for g, u in zip(gate, up, strict=True)]
        for c, value in enumerate(project(t["down"][e], h)):
            y[c] += p[e] / mass * value
    return y, p, chosen


def forward(parameters, ids):
    """Logits `(B, T, V)` and balance loss of a batch.

    Args:
        parameters: `moe.Parameters`, read by name.
        ids: `(B, T)` token ids.
    """
    config, tensors = parameters.config, parameters.tensors
    tokens = [[list(tensors["embedding"][i]) for i in row] for row in ids]
    balance = 0.0
    for layer in range(config.num_layers):
        prefix = f"layers.{layer}."
        t = {
            n.removeprefix(prefix): w
            for n, w in tensors.items()
            if n.startswith(prefix)
        }
        load = [0] * config.num_experts
        mean = [0.0] * config.num_experts
        for row in tokens:
            normed = [rms_norm(x, t["attention_norm"], config.norm_eps) for x in row]
            for x, y in zip(row, attend(normed, t, config), strict=True):
                x[:] = [a + b for a, b in zip(x, y, strict=True)]
            for x in row:
                y, p, chosen = mix(
                    rms_norm(x, t["experts_norm"], config.norm_eps), t, config
                )
                x[:] = [a + b for a, b in zip(x, y, strict=True)]
                for e in chosen:
                    load[e] += 1
                mean = [a + b for a, b in zip(mean, p, strict=True)]
        count = ids.size
        pairs = zip(load, mean, strict=True)
        overlap = sum(f / (count * config.top_k) * q / count for f, q in pairs)
        balance += config.balance_alpha * config.num_experts * overlap
    logits = [
        [
            project(
                tensors["lm_head"], rms_norm(x, tensors["final_norm"], config.norm_eps)
            )
            for x in row
        ]
        for row in tokens
    ]
    return np.array(logits), balance

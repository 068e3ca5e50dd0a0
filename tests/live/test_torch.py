"""Ours against PyTorch's autograd, live: shapes of every kind, and AdamW alone.

Needs the extra `oracles`; run with `pytest tests/live`.
"""

import dataclasses

import numpy as np
import pytest
import torch
from oracles import setting, torch_model
from witnesses.pairs import assert_close

from moe import Model, Parameters
from moe.equations.adamw import adamw
from moe.equations.cross_entropy import cross_entropy, cross_entropy_backward

# Both sides run in float64; the sums differ in order only.
TOLERANCE = 1e-9
SHAPES = {
    "heads 4/2": {},
    "heads 6/2, top 1": {"num_heads": 6, "top_k": 1},
    "heads 4/4, top 4 of 4": {"num_kv_heads": 4, "top_k": 4},
    "heads 4/1, three layers": {"num_kv_heads": 1, "num_layers": 3},
    "seven experts, top 3": {"num_experts": 7, "top_k": 3},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_logits_losses_and_every_gradient(shape):
    config = dataclasses.replace(setting.CONFIG, **SHAPES[shape])
    rng = np.random.default_rng(11)
    parameters = Parameters(config, 0.3 * rng.standard_normal(config.num_parameters))
    text = rng.integers(0, config.vocab_size, (3, 20))
    ids, targets = text[:, :-1], text[:, 1:]

    tensors = {
        n: torch.tensor(w).requires_grad_() for n, w in parameters.tensors.items()
    }
    want_logits, _ = torch_model.forward(tensors, torch.tensor(ids), config)
    want_loss, want_balance = torch_model.loss(
        tensors, torch.tensor(ids), torch.tensor(targets), config
    )
    (want_loss + want_balance).backward()

    model = Model(parameters)
    logits, balance, cache = model.forward(ids)
    loss, loss_cache = cross_entropy(
        logits.reshape(-1, config.vocab_size), targets.ravel()
    )
    gradients = model.backward(cross_entropy_backward(1.0, loss_cache), cache)
    assert_close("logits", logits, want_logits.detach().numpy(), TOLERANCE)
    assert_close("cross-entropy", loss, want_loss.detach().numpy(), TOLERANCE)
    assert_close("balance loss", balance, want_balance.detach().numpy(), TOLERANCE)
    for name, gradient in gradients.tensors.items():
        assert_close(name, gradient, tensors[name].grad.numpy(), TOLERANCE)


@pytest.mark.parametrize("weight_decay", [0.0, 0.2])
def test_adamw(weight_decay):
    rng = np.random.default_rng(0)
    weight = rng.standard_normal(50)
    theirs = torch.tensor(weight).requires_grad_()
    optimiser = torch.optim.AdamW(
        [theirs], lr=0.1, betas=(0.7, 0.8), eps=1e-3, weight_decay=weight_decay
    )
    m, v = np.zeros(50), np.zeros(50)
    for step in range(1, 8):
        gradient = rng.standard_normal(50) * 10.0 ** rng.uniform(-6, 1, 50)
        theirs.grad = torch.tensor(gradient)
        optimiser.step()
        adamw(
            weight,
            gradient,
            m,
            v,
            step=step,
            learning_rate=0.1,
            betas=(0.7, 0.8),
            eps=1e-3,
            weight_decay=weight_decay,
        )
        assert_close(
            f"weight after step {step}", weight, theirs.detach().numpy(), 1e-12
        )

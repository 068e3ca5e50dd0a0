"""Ours against a frozen record of PyTorch: logits, losses, gradients, ten steps.

`oracles/make_torch_record.py` wrote the record; nothing of PyTorch is needed here.
"""

from pathlib import Path

import numpy as np
import pytest
from oracles import setting
from witnesses.pairs import assert_close

from moe import Model, Parameters, Trainer
from moe.equations.cross_entropy import cross_entropy, cross_entropy_backward

# Both sides run in float64; the sums differ in order only.
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def record():
    path = Path(__file__).parent / "oracles" / "torch_record.npz"
    with np.load(path, allow_pickle=False) as arrays:
        return dict(arrays)


def test_the_record_is_of_this_setting(record):
    ids, targets = setting.batches()
    np.testing.assert_array_equal(record["ids"], ids)
    np.testing.assert_array_equal(record["targets"], targets)


def test_logits_losses_and_every_gradient_by_name(record):
    model = Model(setting.parameters())
    logits, balance, cache = model.forward(record["ids"][0])
    flat = logits.reshape(-1, setting.CONFIG.vocab_size)
    loss, loss_cache = cross_entropy(flat, record["targets"][0].ravel())
    assert_close("logits", logits, record["logits"], TOLERANCE)
    assert_close("cross-entropy", loss, record["cross_entropy"], TOLERANCE)
    assert_close("balance loss", balance, record["balance"], TOLERANCE)
    gradients = model.backward(cross_entropy_backward(1.0, loss_cache), cache)
    names = {n.removeprefix("gradient/") for n in record if n.startswith("gradient/")}
    assert names == set(gradients.tensors)
    for name, gradient in gradients.tensors.items():
        assert_close(name, gradient, record[f"gradient/{name}"], TOLERANCE)


def test_ten_steps_with_clipping_and_schedule(record):
    model = Model(setting.parameters())
    trainer = Trainer(model, setting.TRAINING)
    losses, clipped = [], []
    for ids, targets in zip(record["ids"], record["targets"], strict=True):
        losses.append(trainer.train_step(ids, targets))
        clipped.append(trainer.gradient_norm > setting.TRAINING.max_grad_norm)
    assert any(clipped), "the record must exercise clipping"
    assert_close("losses", losses, record["losses"], TOLERANCE)
    start = setting.parameters()
    for name, tensor in model.parameters.tensors.items():
        moved = tensor - start.tensors[name]
        want = record[f"trained/{name}"] - start.tensors[name]
        assert_close(f"{name}, change in ten steps", moved, want, TOLERANCE)


def test_a_parameter_moved_by_a_millionth_is_noticed(record):
    moved = setting.parameters()
    moved.blocks[1].router[2, 3] *= 1 + 1e-6
    logits, _, _ = Model(Parameters(setting.CONFIG, moved.flat)).forward(
        record["ids"][0]
    )
    with pytest.raises(AssertionError, match="logits"):
        assert_close("logits", logits, record["logits"], TOLERANCE)

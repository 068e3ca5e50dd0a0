"""The trainer: each step against an independent one, accumulation, refusals."""

import subprocess
import sys

import numpy as np
import pytest
from witnesses.pairs import assert_close

from moe import Config, Model, NonFiniteError, Parameters, Trainer, TrainingConfig
from moe.equations.cross_entropy import cross_entropy, cross_entropy_backward

pytestmark = [
    pytest.mark.wiring,
    *(getattr(pytest.mark, f"E{n:02}") for n in range(14, 20)),
]

CONFIG = Config(
    vocab_size=13,
    hidden_size=8,
    num_layers=2,
    num_heads=2,
    num_kv_heads=1,
    head_dim=4,
    num_experts=3,
    top_k=2,
    ffn_size=6,
    max_seq_len=16,
)
RNG = np.random.default_rng(0)
IDS = RNG.integers(0, 13, (4, 7))
TARGETS = RNG.integers(0, 13, (4, 7))


def trainer(dtype=np.float64, **changes):
    model = Model.initialise(CONFIG, rng=0, dtype=dtype)
    settings = {"learning_rate": 0.01, "warmup_steps": 3, "total_steps": 8, **changes}
    return Trainer(model, TrainingConfig(**settings))


def independent_steps(steps, config):
    """Loss, clip, schedule and AdamW written out again, tensor by tensor."""
    model = Model.initialise(CONFIG, rng=0, dtype=np.float64)
    names = model.parameters.tensors
    m = {name: np.zeros_like(w) for name, w in names.items()}
    v = {name: np.zeros_like(w) for name, w in names.items()}
    losses = []
    for step in range(1, steps + 1):
        logits, balance, cache = model.forward(IDS)
        loss, loss_cache = cross_entropy(logits.reshape(-1, 13), TARGETS.ravel())
        losses.append(float(loss + balance))
        dlogits = cross_entropy_backward(1.0, loss_cache)
        gradients = model.backward(dlogits, cache).tensors
        norm = sum((g * g).sum() for g in gradients.values()) ** 0.5
        if step <= 3:
            rate = config.learning_rate * step / 3
        else:
            half_turn = np.pi * min(1, (step - 3) / 5)
            span = config.learning_rate - config.min_learning_rate
            rate = config.min_learning_rate + span * (1 + np.cos(half_turn)) / 2
        for name, w in names.items():
            g = gradients[name] * min(1, config.max_grad_norm / norm)
            m[name] = 0.9 * m[name] + 0.1 * g
            v[name] = 0.95 * v[name] + 0.05 * g * g
            decay = config.weight_decay if w.ndim > 1 else 0
            hat_m, hat_v = m[name] / (1 - 0.9**step), v[name] / (1 - 0.95**step)
            w -= rate * (hat_m / (hat_v**0.5 + 1e-8) + decay * w)
    return losses, model.parameters.flat


@pytest.mark.parametrize("max_grad_norm", [0.05, 100.0])
def test_steps_equal_the_same_steps_written_out(max_grad_norm):
    ours = trainer(max_grad_norm=max_grad_norm, min_learning_rate=0.002)
    losses = [ours.train_step(IDS, TARGETS) for _ in range(11)]
    want_losses, want_flat = independent_steps(11, ours.config)
    assert_close("losses", losses, np.array(want_losses), 1e-12)
    assert_close("parameters", ours.model.parameters.flat, want_flat, 1e-12)
    assert ours.step == 11
    assert ours.learning_rate == pytest.approx(0.002)


def test_reported_losses_are_of_the_parameters_before_the_step():
    ours = trainer()
    logits, balance, _ = ours.model.forward(IDS)
    loss, _ = cross_entropy(logits.reshape(-1, 13), TARGETS.ravel())
    total = ours.train_step(IDS, TARGETS)
    assert ours.cross_entropy == pytest.approx(float(loss), rel=1e-14)
    assert ours.balance_loss == pytest.approx(float(balance), rel=1e-14)
    assert total == pytest.approx(float(loss + balance), rel=1e-14)


@pytest.mark.parametrize("parts", [2, 4])
def test_micro_batches_add_up_to_the_big_batch(parts):
    # The balance loss is of each micro-batch and not additive, hence without it.
    whole, split = (without_balance(micro_batches=p) for p in (1, parts))
    for _ in range(3):
        loss = whole.train_step(IDS, TARGETS)
        assert split.train_step(IDS, TARGETS) == pytest.approx(loss, rel=1e-13)
        assert split.gradient_norm == pytest.approx(whole.gradient_norm, rel=1e-11)
    flat = whole.model.parameters.flat
    assert_close("parameters", split.model.parameters.flat, flat, 1e-9)


def test_moments_and_norm_are_of_the_mean_over_micro_batches():
    ours = trainer(micro_batches=2, max_grad_norm=1e-3)
    mean = Parameters.zeros(CONFIG, np.float64).flat
    for half in (slice(0, 2), slice(2, 4)):
        logits, _, cache = ours.model.forward(IDS[half])
        _, loss_cache = cross_entropy(logits.reshape(-1, 13), TARGETS[half].ravel())
        dlogits = cross_entropy_backward(1.0, loss_cache)
        mean += ours.model.backward(dlogits, cache, dbalance_loss=1.0).flat / 2
    ours.train_step(IDS, TARGETS)
    norm = np.linalg.norm(mean)
    assert norm > 1e-3, "the step must be clipped"
    assert ours.gradient_norm == pytest.approx(norm, rel=1e-12)
    clipped = mean * (1e-3 / norm)
    assert_close("first moment", ours.m.flat, 0.1 * clipped, 1e-12)
    assert_close("second moment", ours.v.flat, 0.05 * clipped**2, 1e-12)


def without_balance(**changes):
    ours = trainer(**changes)
    config = CONFIG.__class__(**{**vars(CONFIG), "balance_alpha": 0.0})
    model = Model(Parameters(config, ours.model.parameters.flat))
    return Trainer(model, ours.config)


def test_float32_stays_float32():
    ours = trainer(np.float32)
    ours.train_step(IDS, TARGETS)
    for buffer in (ours.model.parameters, ours.m, ours.v):
        assert buffer.flat.dtype == np.float32


PROGRAM = """
import numpy as np
from moe import Config, Model, Trainer, TrainingConfig
rng = np.random.default_rng(5)
trainer = Trainer(Model.initialise(Config.tiny(), rng=rng), TrainingConfig())
for _ in range(5):
    ids = rng.integers(0, 1000, (2, 9))
    loss = trainer.train_step(ids[:, :-1], ids[:, 1:])
    print(float(loss).hex())
print(trainer.model.parameters.flat.tobytes().hex()[:64])
"""


def test_same_seed_same_bits_in_two_processes():
    first, second = (
        subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
        for _ in range(2)
    )
    assert first.returncode == 0, first.stderr
    assert first.stdout == second.stdout
    assert len(first.stdout.splitlines()) == 6


def test_it_learns_a_sequence():
    ours = trainer(total_steps=200, learning_rate=0.02, weight_decay=0.0)
    first = ours.train_step(IDS, TARGETS)
    for _ in range(200):
        ours.train_step(IDS, TARGETS)
    assert ours.cross_entropy < 0.1 * first


BAD_BATCHES = {
    "targets of another shape": (
        IDS,
        TARGETS[:, :-1],
        ValueError,
        r"targets.shape must be that of ids, \(4, 7\), got \(4, 6\)",
    ),
    "a target out of range": (
        IDS,
        np.full_like(IDS, 13),
        ValueError,
        r"targets must be in \[0, 13\), got 13",
    ),
    "targets of a float dtype": (
        IDS,
        TARGETS / 2,
        TypeError,
        "targets must hold integers, got dtype float64",
    ),
    "a negative id": (IDS - 1, TARGETS, ValueError, r"ids must be in .* got -1"),
    "an uneven split": (
        IDS[:3],
        TARGETS[:3],
        ValueError,
        "batch size must be a multiple of micro_batches = 2, got 3",
    ),
}


@pytest.mark.parametrize("case", BAD_BATCHES)
def test_bad_batches_change_nothing(case):
    ids, targets, error, message = BAD_BATCHES[case]
    ours = trainer(micro_batches=2)
    before = ours.model.parameters.flat.copy()
    with pytest.raises(error, match=message):
        ours.train_step(ids, targets)
    np.testing.assert_array_equal(ours.model.parameters.flat, before)
    assert ours.step == 0


def test_a_bad_parameter_is_named_and_nothing_is_updated():
    ours = trainer()
    ours.train_step(IDS, TARGETS)
    ours.model.parameters.blocks[1].down[2, 3, 4] = np.nan
    before = [b.flat.copy() for b in (ours.model.parameters, ours.m, ours.v)]
    message = r"step 2: loss is nan; .* parameter is layers.1.down, nan at \(2, 3, 4\)"
    with pytest.raises(NonFiniteError, match=message):
        ours.train_step(IDS, TARGETS)
    after = [b.flat for b in (ours.model.parameters, ours.m, ours.v)]
    for then, now in zip(before, after, strict=True):
        np.testing.assert_array_equal(then, now)
    assert ours.step == 1


def test_a_bad_gradient_is_named(monkeypatch):
    ours = trainer()
    backward = ours.model.backward

    def poisoned(*args, **kwargs):
        gradients = backward(*args, **kwargs)
        gradients.blocks[0].router[1, 2] = np.inf
        return gradients

    monkeypatch.setattr(ours.model, "backward", poisoned)
    message = r"step 1: first bad gradient is layers.0.router, inf at \(1, 2\)"
    with pytest.raises(NonFiniteError, match=message):
        ours.train_step(IDS, TARGETS)
    assert ours.step == 0

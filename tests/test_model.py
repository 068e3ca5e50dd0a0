"""The model: composition, every gradient by name, cache, recomputation."""

import dataclasses
import tracemalloc

import naive_model
import numpy as np
import pytest
from small_model import IDS, make
from witnesses.pairs import (
    CENTRAL_STEP,
    CENTRAL_TOLERANCE,
    COMPLEX_STEP,
    COMPLEX_TOLERANCE,
    assert_close,
    assert_floats_are,
)

from moe import Config, KeyValueCache, Model, Parameters, Trainer, TrainingConfig
from moe.equations.cross_entropy import cross_entropy

pytestmark = [
    pytest.mark.wiring,
    *(getattr(pytest.mark, f"E{n:02}") for n in range(1, 14)),
]

SHAPES = {
    "heads 4/2, top 2 of 3": {},
    "heads 6/2, top 1 of 3": {"num_heads": 6, "top_k": 1},
    "heads 4/4, top 3 of 3, one layer": {
        "num_kv_heads": 4,
        "top_k": 3,
        "num_layers": 1,
    },
    "heads 4/1, top 3 of 5, three layers": {
        "num_kv_heads": 1,
        "num_experts": 5,
        "top_k": 3,
        "num_layers": 3,
        "ntk_alpha": 1.5,
    },
    "heads of width 2": {"head_dim": 2, "ntk_alpha": 1.0},
    "one head, one expert": {
        "num_heads": 1,
        "num_kv_heads": 1,
        "num_experts": 1,
        "top_k": 1,
    },
}


def objective(model, cotangent, dbalance):
    """Random projection of logits and balance loss."""
    logits, balance_loss, _ = model.forward(IDS)
    return (logits * cotangent).sum() + dbalance * balance_loss


def directional_errors(model, step, seed=5):
    """Relative error of every tensor's gradient along a random direction, by name."""
    rng = np.random.default_rng(seed)
    cotangent = rng.standard_normal((*IDS.shape, model.config.vocab_size))
    _, _, cache = model.forward(IDS)
    gradients = model.backward(cotangent, cache, dbalance_loss=0.7)
    errors = {}
    for name, gradient in gradients.tensors.items():
        direction = rng.standard_normal(gradient.shape)

        def at(offset, name=name, direction=direction):
            flat = model.parameters.flat.astype(type(offset))
            moved = Parameters(model.config, flat)
            moved.tensors[name][...] += offset * direction
            return objective(Model(moved), cotangent, 0.7)

        if step == "complex":
            slope = at(1j * COMPLEX_STEP).imag / COMPLEX_STEP
        else:
            slope = (at(CENTRAL_STEP) - at(-CENTRAL_STEP)) / (2 * CENTRAL_STEP)
        error = abs(slope - (gradient * direction).sum())
        if model.config.num_experts == 1 and name.endswith("router"):
            assert not gradient.any(), "with one expert there is nothing to route"
            assert error == 0
            continue
        errors[name] = error / np.linalg.norm(gradient)
    return errors


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("step", "allowed"),
    [("complex", COMPLEX_TOLERANCE), ("central", CENTRAL_TOLERANCE)],
)
def test_gradient_of_every_tensor_by_name(shape, step, allowed):
    errors = directional_errors(make(**SHAPES[shape]), step)
    assert max(errors.values()) <= allowed, errors


def test_every_single_element_of_the_gradient():
    model = make()
    rng = np.random.default_rng(8)
    cotangent = rng.standard_normal((*IDS.shape, model.config.vocab_size))
    _, _, cache = model.forward(IDS)
    gradients = model.backward(cotangent, cache, dbalance_loss=0.7)
    flat = model.parameters.flat.astype(complex)
    moved = Model(Parameters(model.config, flat))
    expected = np.empty_like(gradients.flat)
    for place in range(flat.size):
        flat[place] += 1j * COMPLEX_STEP
        expected[place] = objective(moved, cotangent, 0.7).imag / COMPLEX_STEP
        flat[place] = flat[place].real
    whole = Parameters(model.config, expected)
    for name, gradient in gradients.tensors.items():
        assert_close(name, gradient, whole.tensors[name], COMPLEX_TOLERANCE)


def test_gradients_are_right_again_after_twenty_steps():
    model = make()
    trainer = Trainer(model, TrainingConfig(learning_rate=0.02, total_steps=40))
    for _ in range(20):
        trainer.train_step(IDS, np.roll(IDS, -1, axis=1))
    errors = directional_errors(model, "complex")
    assert max(errors.values()) <= COMPLEX_TOLERANCE, errors


@pytest.mark.parametrize("shape", SHAPES)
def test_logits_and_balance_loss_equal_the_slow_loops(shape):
    model = make(**SHAPES[shape])
    logits, balance_loss, _ = model.forward(IDS)
    want_logits, want_balance = naive_model.forward(model.parameters, IDS)
    assert_close("logits", logits, want_logits, 1e-12)
    assert_close("balance loss", balance_loss, want_balance, 1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_one_dtype_from_end_to_end(dtype):
    model = make(dtype)
    logits, balance_loss, cache = model.forward(IDS)
    gradients = model.backward(logits, cache)
    assert_floats_are(dtype, "forward", (logits, balance_loss, cache))
    assert_floats_are(dtype, "backward", (gradients.flat,))


def test_float32_agrees_with_float64():
    # 24 bits of mantissa, a few hundred roundings on the way to a logit.
    logits64, _, cache64 = make().forward(IDS)
    logits32, _, cache32 = make(np.float32).forward(IDS)
    assert_close("logits", logits32, logits64, 1e-5)
    cotangent = np.random.default_rng(1).standard_normal(logits64.shape)
    exact = make().backward(cotangent, cache64)
    single = make(np.float32).backward(cotangent.astype(np.float32), cache32)
    for name, gradient in single.tensors.items():
        assert_close(name, gradient, exact.tensors[name], 1e-4)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("pieces", [(1, 1, 1, 1, 1), (3, 1, 1), (2, 3)], ids=str)
def test_decoding_with_a_cache_equals_the_full_forward(shape, pieces):
    model = make(**SHAPES[shape])
    full, _, _ = model.forward(IDS)
    kv_cache = KeyValueCache(model.config, len(IDS), 8, np.float64)
    parts, read = [], 0
    for length in pieces:
        assert kv_cache.length == read
        parts.append(model.forward(IDS[:, read : read + length], kv_cache)[0])
        read += length
    assert_close("logits", np.concatenate(parts, axis=1), full, 1e-13)


def test_a_later_token_changes_nothing_before_it():
    model = make()
    full, _, _ = model.forward(IDS)
    for t in range(1, IDS.shape[1]):
        changed = IDS.copy()
        changed[:, t] = (changed[:, t] + 1) % model.config.vocab_size
        logits, _, _ = model.forward(changed)
        np.testing.assert_array_equal(logits[:, :t], full[:, :t])
        assert (logits[:, t] != full[:, t]).any()


def test_sequences_of_a_batch_do_not_see_each_other():
    model = make(balance_alpha=0.0)
    together, _, cache = model.forward(IDS)
    alone = np.concatenate([model.forward(row[None])[0] for row in IDS])
    assert_close("logits", together, alone, 1e-13)
    gradients = model.backward(together, cache)
    total = np.zeros_like(gradients.flat)
    for row in IDS:
        logits, _, cache = model.forward(row[None])
        total += model.backward(logits, cache).flat
    assert_close("gradients", gradients.flat, total, 1e-12)


def test_backward_twice_gives_the_same_bits_and_overwrites_out():
    model = make()
    logits, _, cache = model.forward(IDS)
    first = model.backward(logits, cache)
    dirty = Parameters(model.config, np.full_like(first.flat, np.nan))
    second = model.backward(logits, cache, out=dirty)
    assert second is dirty
    np.testing.assert_array_equal(first.flat, second.flat)


def test_recomputation_gives_the_same_bits():
    model = make(np.float32, num_layers=3)
    logits, loss, cache = model.forward(IDS)
    gradients = model.backward(logits, cache)
    frugal = Model(model.parameters, recompute=True)
    again, loss_again, cache = frugal.forward(IDS)
    np.testing.assert_array_equal(again, logits)
    assert loss_again == loss
    np.testing.assert_array_equal(frugal.backward(again, cache).flat, gradients.flat)


def test_recomputation_needs_less_memory():
    config = dataclasses.replace(Config.tiny(), num_layers=6, vocab_size=64)
    parameters = Parameters.initialise(config, rng=0)
    gradients = Parameters.zeros(config)
    ids = np.random.default_rng(0).integers(0, 64, (4, 64))
    peaks = []
    for recompute in (False, True):
        model = Model(parameters, recompute=recompute)
        tracemalloc.start()
        logits, _, cache = model.forward(ids)
        model.backward(logits, cache, out=gradients)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # Of six layers' activations one remains, plus six small inputs.
    assert peaks[1] < 0.4 * peaks[0], peaks


def test_loss_at_initialisation_is_close_to_log_v():
    config = Config.tiny()
    model = Model.initialise(config, rng=3)
    ids = np.random.default_rng(0).integers(0, config.vocab_size, (4, 64))
    logits, balance_loss, _ = model.forward(ids)
    loss, _ = cross_entropy(logits.reshape(-1, config.vocab_size), ids.ravel())
    assert abs(loss - np.log(config.vocab_size)) < 0.05
    # Nearly uniform routing: each layer's balance loss is nearly alpha.
    assert balance_loss == pytest.approx(2 * config.balance_alpha, rel=0.05)

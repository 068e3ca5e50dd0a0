"""Generation: strategies, the cached loop against a plain one, bad arguments."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from moe import Config, Greedy, Model, Temperature, TopK, TopP, generate

pytestmark = [
    pytest.mark.wiring,
    *(getattr(pytest.mark, f"E{n:02}") for n in range(20, 22)),
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
PROMPT = np.array([1, 5, 2])
STRATEGIES = [Greedy(), Temperature(0.7), TopK(3), TopP(0.8, temperature=1.3)]


@pytest.fixture(scope="module")
def model():
    return Model.initialise(CONFIG, rng=0, dtype=np.float64)


def without_cache(model, prompt, max_len, strategy, seed):
    """The same loop with a full forward at every step."""
    rng = np.random.default_rng(seed)
    ids = list(prompt)
    while len(ids) < max_len:
        logits, _, _ = model.forward(np.array([ids]))
        ids.append(strategy.pick_token(logits[0, -1], rng))
    return ids


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda s: type(s).__name__)
def test_the_cache_changes_nothing(model, strategy):
    ids = generate(model, PROMPT, 16, strategy, rng=4)
    assert ids.tolist() == without_cache(model, PROMPT, 16, strategy, 4)
    np.testing.assert_array_equal(generate(model, PROMPT, 16, strategy, rng=4), ids)


def test_seeds_differ(model):
    texts = {tuple(generate(model, PROMPT, 16, Temperature(), rng=s)) for s in range(5)}
    assert len(texts) == 5


class Fixed:
    """A generator whose every uniform number is the same."""

    def __init__(self, uniform):
        self.uniform = uniform

    def random(self):
        return self.uniform


@given(
    logits=arrays(
        st.sampled_from([np.float32, np.float64]),
        st.integers(1, 12),
        elements=st.sampled_from([-np.inf, -1e4, -80.0, -1.0, 0.0, 0.5, 80.0]),
    ),
    strategy=st.sampled_from([*STRATEGIES, Temperature(0.0), TopK(1), TopP(1.0)]),
    uniform=st.floats(0, 1, exclude_max=True),
)
@example(np.array([0.0, -np.inf]), Temperature(), 1 - 2.0**-53)
@example(np.array([-np.inf, 0.0]), Temperature(), 0.0)
def test_no_impossible_token_is_ever_drawn(logits, strategy, uniform):
    if not np.isfinite(logits).any():
        logits[-1] = 0.0
    token = strategy.pick_token(logits, Fixed(uniform))
    assert np.isfinite(logits[token])
    if isinstance(strategy, Greedy):
        assert token == int(np.argmax(logits))
    if isinstance(strategy, TopK):
        assert (logits > logits[token]).sum() < strategy.k


@pytest.mark.parametrize(
    ("strategy", "expected"),
    [
        (Temperature(), [0.5, 0.25, 0.125, 0.125]),
        (Temperature(0.5), [16 / 22, 4 / 22, 1 / 22, 1 / 22]),
        (TopK(2), [2 / 3, 1 / 3, 0, 0]),
        (TopP(0.75), [2 / 3, 1 / 3, 0, 0]),
        (TopP(0.8), [4 / 7, 2 / 7, 1 / 7, 0]),
        (TopK(3, temperature=0.5), [16 / 21, 4 / 21, 1 / 21, 0]),
        (TopP(0.8, temperature=0.5), [16 / 20, 4 / 20, 0, 0]),
        (Greedy(), [1, 0, 0, 0]),
    ],
)
def test_frequencies_are_the_probabilities(strategy, expected):
    logits = np.log([0.5, 0.25, 0.125, 0.125])
    # A grid of uniform numbers: frequencies are exact up to one grid step each.
    grid = (np.arange(2000) + 0.5) / 2000
    drawn = [strategy.pick_token(logits, Fixed(u)) for u in grid]
    frequency = np.bincount(drawn, minlength=4) / 2000
    assert np.abs(frequency - expected).max() <= 1 / 2000


BAD_STRATEGIES = {
    "negative temperature": (
        lambda: Temperature(-0.1),
        "temperature must be .* got -0.1",
    ),
    "temperature NaN": (lambda: Temperature(np.nan), "temperature must be .* got nan"),
    "k of 0": (lambda: TopK(0), "k must be an integer of at least 1, got 0"),
    "k of 2.5": (lambda: TopK(2.5), "k must be an integer of at least 1, got 2.5"),
    "p of 0": (lambda: TopP(0.0), r"p must be a number in \(0, 1\], got 0.0"),
    "p above 1": (lambda: TopP(1.01), r"p must be a number in \(0, 1\], got 1.01"),
    "p as text": (lambda: TopP("0.9"), r"p must be a number in \(0, 1\], got '0.9'"),
}


@pytest.mark.parametrize("case", BAD_STRATEGIES)
def test_bad_strategies(case):
    build, message = BAD_STRATEGIES[case]
    with pytest.raises(ValueError, match=message):
        build()


BAD_CALLS = {
    "empty prompt": ([], 5, TypeError, "prompt must hold integers, got dtype float64"),
    "no tokens": (np.zeros(0, int), 5, ValueError, r"prompt.shape must be"),
    "two axes": ([[1, 2]], 5, ValueError, r"prompt.shape must be of one axis"),
    "id out of range": ([1, 13], 5, ValueError, r"prompt must be in \[0, 13\), got 13"),
    "nothing to add": (
        [1, 2],
        2,
        ValueError,
        "max_len must be an integer from 3 to 16",
    ),
    "too long": ([1, 2], 17, ValueError, "max_len must be an integer from 3 to 16"),
}


@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls(model, case):
    prompt, max_len, error, message = BAD_CALLS[case]
    with pytest.raises(error, match=message):
        generate(model, prompt, max_len, Greedy())


def test_logits_that_are_not_finite_stop_the_loop():
    model = Model.initialise(CONFIG, rng=0)
    model.parameters.lm_head[3, 0] = np.nan
    with pytest.raises(ValueError, match="logits must be finite"):
        generate(model, PROMPT, 6, Greedy())

"""Embedding (E01): its four witnesses."""

import numpy as np
import pytest
import sympy as sp
from witnesses.pairs import (
    Pair,
    assert_close,
    check_complex_step,
    check_conduct,
    check_float32,
    check_symbols,
)

from moe.equations.embedding import embedding, embedding_backward

pytestmark = pytest.mark.E01
WRT = ("weight",)


def forward(inputs):
    x, cache = embedding(inputs["ids"], inputs["weight"])
    return (x,), cache


def backward(cotangents, cache):
    return {"weight": embedding_backward(*cotangents, cache)}


PAIR = Pair("embedding", forward, backward)


def inputs(ids=(3, 0, 3, 1, 3, 5), vocab=6, channels=4, seed=0):
    """Ids out of order, one of them three times, and rows that no token reads."""
    rng = np.random.default_rng(seed)
    return {
        "ids": np.array(ids, int),
        "weight": rng.standard_normal((vocab, channels)),
    }


@pytest.mark.symbols
def test_symbols():
    def equation(arrays):
        ids, weight = arrays["ids"], arrays["weight"]
        x = np.empty((len(ids), weight.shape[1]), object)
        for t, c in np.ndindex(x.shape):
            rows = range(len(weight))
            x[t, c] = sum(int(ids[t] == v) * weight[v, c] for v in rows)
        return (x,)

    given = inputs(ids=(2, 0, 2, 3), vocab=4, channels=2)
    check_symbols(PAIR, given, WRT, equation)


@pytest.mark.symbols
def test_a_row_collects_the_gradients_of_its_tokens():
    dx = np.array([[sp.Symbol(f"d{t}{c}") for c in "ab"] for t in range(4)], object)
    _, cache = embedding(np.array([2, 0, 2, 2]), np.zeros((3, 2), object))
    dweight = embedding_backward(dx, cache)
    np.testing.assert_array_equal(dweight, [dx[1], [0, 0], dx[0] + dx[2] + dx[3]])


@pytest.mark.differences
@pytest.mark.parametrize("ids", [(3, 0, 3, 1, 3, 5), (4,), (2, 2, 2)])
def test_gradient(ids):
    check_complex_step(PAIR, inputs(ids), WRT)


def one_hot_product(ids, weight):
    """The product with one-hot rows that the lookup stands for."""
    x = [[0.0] * weight.shape[1] for _ in ids]
    for t, read in enumerate(ids):
        for v in range(len(weight)):
            for c in range(weight.shape[1]):
                x[t][c] += float(v == read) * float(weight[v, c])
    return np.array(x)


def scatter(ids, dx, vocab):
    """Token by token, every gradient added to the row that was read."""
    dweight = [[0.0] * dx.shape[1] for _ in range(vocab)]
    for t, read in enumerate(ids):
        for c in range(dx.shape[1]):
            dweight[read][c] += float(dx[t, c])
    return np.array(dweight)


@pytest.mark.oracle
def test_loops():
    rng = np.random.default_rng(4)
    given = inputs(ids=rng.integers(0, 7, 40), vocab=9, channels=5)
    (x,), cache = forward(given)
    expected = one_hot_product(given["ids"], given["weight"])
    np.testing.assert_array_equal(x, expected)
    dx = rng.standard_normal(x.shape)
    dweight = embedding_backward(dx, cache)
    expected = scatter(given["ids"], dx, 9)
    assert_close("embedding: gradient of weight", dweight, expected, 1e-15)


@pytest.mark.properties
def test_conduct():
    check_conduct(PAIR, inputs(), WRT)
    check_float32(PAIR, inputs(), WRT)


@pytest.mark.properties
@pytest.mark.parametrize("dtype", [np.int64, np.int32, np.uint16])
def test_any_integer_dtype_reads_the_same_rows(dtype):
    given = inputs()
    x, cache = embedding(given["ids"].astype(dtype), given["weight"])
    np.testing.assert_array_equal(x, given["weight"][[3, 0, 3, 1, 3, 5]])
    dweight = embedding_backward(np.full(x.shape, 0.5), cache)
    np.testing.assert_array_equal(dweight[:, 0], [0.5, 0.5, 0, 1.5, 0, 0.5])


@pytest.mark.properties
def test_rows_are_copies():
    given = inputs()
    before = given["weight"].copy()
    x, _ = embedding(given["ids"], given["weight"])
    x[...] = 7
    np.testing.assert_array_equal(given["weight"], before)


@pytest.mark.properties
def test_out_is_overwritten_and_returned():
    given = inputs()
    x, cache = embedding(given["ids"], given["weight"])
    dx = np.random.default_rng(2).standard_normal(x.shape)
    out = np.full_like(given["weight"], np.nan)
    dweight = embedding_backward(dx, cache, out=out)
    assert dweight is out
    np.testing.assert_array_equal(out, embedding_backward(dx, cache))


@pytest.mark.properties
def test_tokens_in_another_order_leave_the_gradient_of_the_table():
    given = inputs()
    x, cache = embedding(given["ids"], given["weight"])
    dx = np.random.default_rng(2).standard_normal(x.shape)
    order = np.array([4, 1, 5, 0, 2, 3])
    _, reordered = embedding(given["ids"][order], given["weight"])
    assert_close(
        "gradient of weight",
        embedding_backward(dx[order], reordered),
        embedding_backward(dx, cache),
        1e-15,
    )


@pytest.mark.properties
def test_gradient_keeps_its_mass():
    given = inputs()
    x, cache = embedding(given["ids"], given["weight"])
    dx = np.random.default_rng(2).standard_normal(x.shape)
    dweight = embedding_backward(dx, cache)
    assert_close("sum over rows", dweight.sum(axis=0), dx.sum(axis=0), 1e-14)


@pytest.mark.properties
def test_ids_outside_the_table():
    weight = inputs()["weight"]
    x, _ = embedding(np.array([-1, -6]), weight)
    np.testing.assert_array_equal(x, weight[[5, 0]])
    for outside in (6, -7):
        with pytest.raises(IndexError):
            embedding(np.array([0, outside]), weight)


@pytest.mark.properties
def test_no_tokens():
    x, cache = embedding(np.array([], int), inputs()["weight"])
    assert x.shape == (0, 4)
    np.testing.assert_array_equal(embedding_backward(x, cache), np.zeros((6, 4)))


@pytest.mark.properties
def test_not_a_number_is_not_hidden():
    given = inputs()
    given["weight"][3, 1] = np.nan
    (x,), cache = forward(given)
    np.testing.assert_array_equal(np.isnan(x[:, 1]), given["ids"] == 3)
    dx = np.zeros_like(x)
    dx[1, 2] = np.nan
    dweight = embedding_backward(dx, cache)
    assert np.argwhere(np.isnan(dweight)).tolist() == [[0, 2]]

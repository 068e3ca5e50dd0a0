"""Ours against Hugging Face's Mixtral: same weights, same logits, same gradients.

Needs the extra `oracles`; run with `pytest tests/live`.

Mixtral pairs RoPE channel i with i + D/2 where ours pairs 2i with 2i + 1: the rows of
its query and key projections are ours in another order. Its auxiliary loss is taken
over all layers at once and not divided by top_k: with one layer it is ours times
top_k exactly, and more layers are compared without it.
"""

import dataclasses

import numpy as np
import pytest
import torch
from oracles import setting
from transformers import MixtralConfig, MixtralForCausalLM
from witnesses.pairs import assert_close

from moe import Model, Parameters
from moe.equations.cross_entropy import cross_entropy, cross_entropy_backward

# Mixtral computes its router's softmax and its norms in float32 whatever the model's
# dtype: 24 bits of mantissa, 6e-8, through three layers.
TOLERANCE = 2e-6


def half_split_rows(heads, width):
    """For each row of Mixtral's projection, the row of ours that it equals."""
    order = np.concatenate([np.arange(0, width, 2), np.arange(1, width, 2)])
    return (width * np.arange(heads)[:, None] + order).ravel()


def hf_config(config):
    return MixtralConfig(
        vocab_size=config.vocab_size,
        hidden_size=config.hidden_size,
        intermediate_size=config.ffn_size,
        num_hidden_layers=config.num_layers,
        num_attention_heads=config.num_heads,
        num_key_value_heads=config.num_kv_heads,
        head_dim=config.head_dim,
        num_local_experts=config.num_experts,
        num_experts_per_tok=config.top_k,
        max_position_embeddings=config.max_seq_len,
        rms_norm_eps=config.norm_eps,
        rope_theta=config.rope_base,
        router_aux_loss_coef=config.balance_alpha,
        output_router_logits=True,
        sliding_window=None,
        attention_dropout=0.0,
        attn_implementation="eager",
        experts_implementation="eager",
    )


def hf_tensors(tensors, config):
    """Our tensors under Mixtral's parameter names; the map is linear."""
    q_rows = config.num_heads * config.head_dim
    k_rows = config.num_kv_heads * config.head_dim
    q_order = half_split_rows(config.num_heads, config.head_dim)
    k_order = half_split_rows(config.num_kv_heads, config.head_dim)
    named = {
        "model.embed_tokens.weight": tensors["embedding"],
        "model.norm.weight": tensors["final_norm"],
        "lm_head.weight": tensors["lm_head"],
    }
    for layer in range(config.num_layers):
        ours, theirs = f"layers.{layer}.", f"model.layers.{layer}."
        q, k, v = np.split(tensors[ours + "qkv"], [q_rows, q_rows + k_rows])
        named |= {
            theirs + "self_attn.q_proj.weight": q[q_order],
            theirs + "self_attn.k_proj.weight": k[k_order],
            theirs + "self_attn.v_proj.weight": v,
            theirs + "self_attn.o_proj.weight": tensors[ours + "output"],
            theirs + "input_layernorm.weight": tensors[ours + "attention_norm"],
            theirs + "post_attention_layernorm.weight": tensors[ours + "experts_norm"],
            theirs + "mlp.gate.weight": tensors[ours + "router"],
            theirs + "mlp.experts.gate_up_proj": tensors[ours + "gate_up"],
            theirs + "mlp.experts.down_proj": tensors[ours + "down"],
        }
    return named


@pytest.mark.parametrize("kv_heads", [1, 2, 4])
@pytest.mark.parametrize(
    ("top_k", "layers", "alpha"), [(1, 1, 0.2), (2, 1, 0.2), (2, 3, 0.0), (3, 3, 0.0)]
)
def test_same_logits_same_gradients(kv_heads, top_k, layers, alpha):
    config = dataclasses.replace(
        setting.CONFIG,
        num_kv_heads=kv_heads,
        top_k=top_k,
        num_layers=layers,
        balance_alpha=alpha,
        ntk_alpha=1.0,
    )
    rng = np.random.default_rng(3)
    parameters = Parameters(config, 0.3 * rng.standard_normal(config.num_parameters))
    text = rng.integers(0, config.vocab_size, (2, 13))
    ids, targets = text[:, :-1], text[:, 1:]

    theirs = MixtralForCausalLM(hf_config(config)).double()
    weights = {
        n: torch.tensor(w) for n, w in hf_tensors(parameters.tensors, config).items()
    }
    assert set(weights) == {name for name, _ in theirs.named_parameters()}
    theirs.load_state_dict(weights, strict=False)
    output = theirs(torch.tensor(ids))
    flat = output.logits.flatten(0, 1)
    want_loss = torch.nn.functional.cross_entropy(flat, torch.tensor(targets).flatten())
    want_balance = config.balance_alpha * output.aux_loss / top_k
    (want_loss + want_balance).backward()

    model = Model(parameters)
    logits, balance, cache = model.forward(ids)
    _, loss_cache = cross_entropy(
        logits.reshape(-1, config.vocab_size), targets.ravel()
    )
    gradients = model.backward(cross_entropy_backward(1.0, loss_cache), cache)
    assert_close("logits", logits, output.logits.detach().numpy(), TOLERANCE)
    assert_close("balance loss", balance, want_balance.detach().numpy(), TOLERANCE)
    grads = {name: p.grad.numpy() for name, p in theirs.named_parameters()}
    for name, gradient in hf_tensors(gradients.tensors, config).items():
        assert_close(name, gradient, grads[name], TOLERANCE)


def test_the_permutation_of_rope_rows_matters():
    """The same comparison without it fails: the test above can fail."""
    rows = half_split_rows(2, 6)
    assert sorted(rows) == list(range(12))
    assert rows.tolist() == [0, 2, 4, 1, 3, 5, 6, 8, 10, 7, 9, 11]

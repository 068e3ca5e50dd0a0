"""Hugging Face's `MixtralForCausalLM` with our weights."""

from typing import Any

import numpy as np
import torch
import transformers
from transformers import DynamicCache, MixtralConfig, MixtralForCausalLM

from benchmarks.errors import MissingError
from benchmarks.peers import Peer
from benchmarks.scenarios import Scenario
from benchmarks.workloads import config_of, token_batch
from moe import Config, Model
from moe.arrays import Array
from moe.equations.rope import ntk_base


def mixtral_config(c: Config) -> MixtralConfig:
    """Our shape in their words; the NTK stretch goes into the base."""
    base = ntk_base(c.rope_base, c.ntk_alpha, c.head_dim)
    return MixtralConfig(
        vocab_size=c.vocab_size,
        hidden_size=c.hidden_size,
        intermediate_size=c.ffn_size,
        num_hidden_layers=c.num_layers,
        num_attention_heads=c.num_heads,
        num_key_value_heads=c.num_kv_heads,
        head_dim=c.head_dim,
        num_local_experts=c.num_experts,
        num_experts_per_tok=c.top_k,
        max_position_embeddings=c.max_seq_len,
        rms_norm_eps=c.norm_eps,
        rope_parameters={"rope_type": "default", "rope_theta": base},
        tie_word_embeddings=False,
    )


def halves_from_pairs(rows: Array, head_dim: int) -> Array:
    """Order the rows of each head as Mixtral does: first all 2i, then all 2i + 1."""
    heads = rows.reshape(-1, head_dim // 2, 2, rows.shape[1])
    return heads.swapaxes(1, 2).reshape(rows.shape)


def state_dict(model: Model) -> dict[str, torch.Tensor]:
    """Our parameters under the names of their modules."""
    c, tensors = model.config, model.parameters.tensors
    state = {
        "model.embed_tokens.weight": tensors["embedding"],
        "model.norm.weight": tensors["final_norm"],
        "lm_head.weight": tensors["lm_head"],
    }
    q_rows, kv_rows = c.num_heads * c.head_dim, c.num_kv_heads * c.head_dim
    for i in range(c.num_layers):
        ours, theirs = f"layers.{i}.", f"model.layers.{i}."
        q, k, v = np.split(tensors[f"{ours}qkv"], [q_rows, q_rows + kv_rows])
        state |= {
            f"{theirs}self_attn.q_proj.weight": halves_from_pairs(q, c.head_dim),
            f"{theirs}self_attn.k_proj.weight": halves_from_pairs(k, c.head_dim),
            f"{theirs}self_attn.v_proj.weight": v,
            f"{theirs}self_attn.o_proj.weight": tensors[f"{ours}output"],
            f"{theirs}input_layernorm.weight": tensors[f"{ours}attention_norm"],
            f"{theirs}post_attention_layernorm.weight": tensors[f"{ours}experts_norm"],
            f"{theirs}mlp.gate.weight": tensors[f"{ours}router"],
            f"{theirs}mlp.experts.gate_up_proj": tensors[f"{ours}gate_up"],
            f"{theirs}mlp.experts.down_proj": tensors[f"{ours}down"],
        }
    return {name: torch.tensor(array) for name, array in state.items()}


def build(scenario: Scenario, seed: int) -> Peer:
    """Mixtral as Hugging Face ships it.

    Raises:
        MissingError: For a train step: its balance loss is another one.
    """
    if scenario.work == "train":
        raise MissingError("Mixtral's balance loss is not ours, so no train step")
    torch.set_num_threads(1)
    ours = Model.initialise(config_of(scenario), rng=seed)
    model = MixtralForCausalLM(mixtral_config(ours.config)).eval()
    model.load_state_dict(state_dict(ours), strict=True)
    ids, targets = map(torch.tensor, token_batch(scenario, seed))
    version = f"Transformers {transformers.__version__}"
    if scenario.work == "forward":

        @torch.inference_mode()
        def call() -> Any:
            return model(ids, use_cache=False).logits

    else:
        new, cache = targets[:, -1:], DynamicCache(config=model.config)
        with torch.inference_mode():
            model(ids, past_key_values=cache)

        @torch.inference_mode()
        def call() -> Any:
            logits = model(new, past_key_values=cache).logits
            cache.crop(-1)  # forget the token of this call
            return logits

    return Peer(version, call, lambda logits: logits.numpy())

"""Literate MoE: a Mixture-of-Experts Transformer to read, prove and time.

The lesson is `moe.equations`; `moe.model` composes it; `moe.registry` lists its 21
entries. Start with:

    from moe import Config, Model
    model = Model.initialise(Config.tiny(), rng=0)
    logits, balance_loss, cache = model.forward(ids)
"""

from moe.block import KeyValueCache
from moe.checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from moe.config import Config, TrainingConfig
from moe.generation import Greedy, Temperature, TopK, TopP, generate
from moe.model import Model
from moe.parameters import Parameters
from moe.training import NonFiniteError, Trainer

__version__ = "0.1.0"

__all__ = [
    "Checkpoint",
    "CheckpointError",
    "Config",
    "Greedy",
    "KeyValueCache",
    "Model",
    "NonFiniteError",
    "Parameters",
    "Temperature",
    "TopK",
    "TopP",
    "Trainer",
    "TrainingConfig",
    "generate",
    "load_checkpoint",
    "save_checkpoint",
]

"""Peers against ours: needs the extra `peers`; `pytest tests/benchmarks/live`."""

import numpy as np
import pytest

from benchmarks import peers
from benchmarks.errors import CheckError, MissingError
from benchmarks.peers.huggingface import halves_from_pairs
from benchmarks.scenarios import ALL

SCENARIOS = ["mem_scale_seq_8", "mem_train_step", "decode_128"]


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("peer", ["torch", "jax", "hf"])
def test_a_peer_computes_what_we_do(peer: str, scenario: str) -> None:
    if (peer, scenario) == ("hf", "mem_train_step"):
        with pytest.raises(MissingError, match="balance loss is not ours"):
            peers.build_peer(peer, ALL[scenario], seed=3)
        return
    workload, agreement = peers.build_peer(peer, ALL[scenario], seed=3)
    allowed = peers.LOSS_WITHIN if "train" in scenario else peers.LOGITS_WITHIN
    assert agreement["error"] < allowed
    workload.run(3)
    workload.check()


def test_a_peer_with_other_weights_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = peers.ours
    monkeypatch.setattr(peers, "ours", lambda scenario, seed: ours(scenario, seed + 1))
    with pytest.raises(CheckError, match="torch: logits off by"):
        peers.build_peer("torch", ALL["mem_scale_seq_8"], seed=3)


def test_rows_of_pairs_become_rows_of_halves() -> None:
    rows = np.arange(8)[:, None] * np.ones((1, 2))
    order = halves_from_pairs(rows, head_dim=4)[:, 0].tolist()
    assert order == [0, 2, 1, 3, 4, 6, 5, 7]

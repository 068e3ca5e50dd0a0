"""The convergence run beside PyTorch, live: thirty steps, with clipping and warmup."""

from dataclasses import replace

import convergence
import convergence_run
import convergence_torch
import pytest
from agreement import agreement


@pytest.mark.parametrize(("dtype", "digits"), [("float32", 5), ("float64", 13)])
def test_the_first_steps_agree(
    monkeypatch: pytest.MonkeyPatch, dtype: str, digits: int
) -> None:
    training = replace(convergence_run.TRAINING, total_steps=30)
    monkeypatch.setattr(convergence_run, "TRAINING", training)
    ours, theirs = convergence_run.converge(dtype), convergence_torch.converge(dtype)
    points = convergence.paired(ours, theirs)
    assert [point["step"] for point in points] == [0, 10, 20, 30]
    assert agreement(points)["digits_throughout"] >= digits
    for point in points:
        balance = point["pytorch"]["balance_loss"]
        assert point["ours"]["balance_loss"] == pytest.approx(balance, rel=10**-digits)


def test_a_wrong_step_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    training = replace(convergence_run.TRAINING, total_steps=30)
    monkeypatch.setattr(convergence_run, "TRAINING", training)
    ours = convergence_run.converge("float64")
    monkeypatch.setattr(convergence_torch, "clip", lambda parameters, norm: None)
    points = convergence.paired(ours, convergence_torch.converge("float64"))
    assert agreement(points)["digits_throughout"] < 5

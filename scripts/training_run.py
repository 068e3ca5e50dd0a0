"""A training run: what it began with, how it goes on, where it is saved."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from evaluation import held_out_bits_per_byte
from tqdm import tqdm

from moe import Config, Model, Trainer, TrainingConfig, load_checkpoint, save_checkpoint
from moe.corpus import VOCAB_SIZE, Corpus, sample_batch
from moe.safetensors_header import require_names
from moe.validation import require

CHECKPOINT = "checkpoint.safetensors"
SECONDS_BETWEEN_SAVES = 30
NATS_PER_BIT = float(np.log(2))
# Points of the curves: training is averaged between them, the tail costs a second.
TRAINING_POINTS, HELD_OUT_POINTS = 200, 10


def byte_config(hidden: int, seq: int) -> Config:
    """The `tiny` profile on bytes, as wide as asked for.

    Args:
        hidden: `C`, a multiple of 8: four heads of even width.
        seq: Bytes in a piece. The model takes no longer text: at distances that it
            has not met in training, what it writes falls apart.

    Returns:
        The shape of the model.
    """
    require(hidden % 8 == 0, "--hidden", hidden, "a multiple of 8")
    tiny = Config.tiny()
    return replace(
        tiny,
        vocab_size=VOCAB_SIZE,
        hidden_size=hidden,
        head_dim=hidden // tiny.num_heads,
        ffn_size=4 * hidden,
        max_seq_len=seq,
    )


def require_no_run(folder: Path) -> None:
    """Raise if the folder holds a run: it would be lost.

    Raises:
        ValueError: If there is a checkpoint.
    """
    new = not (folder / CHECKPOINT).exists()
    allowed = "a folder without a run (or --resume goes on with the run that is there)"
    require(new, "--out", str(folder), allowed)


def seconds_per_step(
    config: Config, corpus: Corpus, batch: int, seq: int, seconds: float
) -> float:
    """Train a model that is then thrown away, to see how fast this machine is.

    Args:
        config: Shape of the model.
        corpus: The text.
        batch: Pieces in a batch.
        seq: Bytes in a piece.
        seconds: How long to measure.

    Returns:
        Seconds per step.
    """
    rng = np.random.default_rng(0)
    trainer = Trainer(Model.initialise(config, rng=rng), TrainingConfig())
    trainer.train_step(*sample_batch(corpus.head, rng, batch, seq))  # warms up
    began = time.perf_counter()
    while (elapsed := time.perf_counter() - began) < seconds or trainer.step < 2:
        trainer.train_step(*sample_batch(corpus.head, rng, batch, seq))
    return elapsed / (trainer.step - 1)


def first_notes(corpus: Corpus, batch: int, seq: int, seed: int) -> dict[str, Any]:
    """What a run notes down beside the trainer, at step 0.

    Args:
        corpus: The text.
        batch: Pieces in a batch.
        seq: Bytes in a piece.
        seed: Of weights and batches.

    Returns:
        The notes: points of the curves are `[step, bits per byte]`.
    """
    return {
        "text": {"name": corpus.name, "sha256": corpus.sha256},
        "batch": batch,
        "seq": seq,
        "seed": seed,
        "seconds": 0.0,
        "training": [],
        "held_out": [],
        "nats_since_point": 0.0,
    }


@dataclass
class TrainingRun:
    """All that a run is, in memory as in its checkpoint.

    Attributes:
        trainer: Model, moments and step.
        rng: Where the batches come from.
        notes: Sizes of the batches, seed, text, curves and seconds spent so far.
        corpus: The text.
        folder: Where the checkpoint is.
    """

    trainer: Trainer
    rng: np.random.Generator
    notes: dict[str, Any]
    corpus: Corpus
    folder: Path

    @classmethod
    def begin(
        cls,
        corpus: Corpus,
        folder: Path,
        config: Config,
        training: TrainingConfig,
        *,
        batch: int,
        seq: int,
        seed: int,
    ) -> "TrainingRun":
        """A run at step 0, saved, so that there is a checkpoint from the start."""
        rng = np.random.default_rng(seed)
        trainer = Trainer(Model.initialise(config, rng=rng), training)
        notes = first_notes(corpus, batch, seq, seed)
        folder.mkdir(parents=True, exist_ok=True)
        run = cls(trainer, rng, notes, corpus, folder)
        run.save()
        return run

    @classmethod
    def resume(cls, corpus: Corpus, folder: Path) -> "TrainingRun":
        """The run as it was last saved.

        Raises:
            CheckpointError: If its checkpoint is missing or damaged.
            ValueError: If that is not of such a run, or of one on another text.
        """
        run = cls(*load_checkpoint(folder / CHECKPOINT), corpus, folder)
        expected = first_notes(corpus, batch=0, seq=0, seed=0)
        require_names("notes of the checkpoint", run.notes, expected)
        same = run.notes["text"]["sha256"] == corpus.sha256
        allowed = f"the text that the run began with, {run.notes['text']['name']}"
        require(same, "--text", corpus.name, allowed)
        return run

    @property
    def checkpoint(self) -> Path:
        """The file that the run goes on from."""
        return self.folder / CHECKPOINT

    def save(self) -> None:
        """Replace the checkpoint."""
        save_checkpoint(self.checkpoint, self.trainer, self.rng, self.notes)

    @property
    def finished(self) -> bool:
        """Whether all steps of the schedule are done."""
        return self.trainer.step >= self.trainer.config.total_steps

    def train(self, interrupted: Callable[[], bool]) -> None:
        """Train to the end of the schedule, or until interrupted, and save.

        Args:
            interrupted: Asked after every step.

        Raises:
            NonFiniteError: If loss or gradient is not finite; the checkpoint is then
                the last one saved.
        """
        began, before = time.monotonic(), self.notes["seconds"]
        saved = began
        total, step = self.trainer.config.total_steps, self.trainer.step
        bar = tqdm(total=total, initial=step, unit="step", dynamic_ncols=True)
        # The trainer looks at every number itself and names the first bad one.
        with bar, np.errstate(all="ignore"):
            while not self.finished and not interrupted():
                bar.set_postfix_str(self._step(), refresh=False)
                bar.update()
                now = time.monotonic()
                self.notes["seconds"] = before + now - began
                if now - saved > SECONDS_BETWEEN_SAVES:
                    self.save()
                    saved = now
        self.save()

    def _step(self) -> str:
        """One step, and a point of each curve where one is due."""
        trainer, notes = self.trainer, self.notes
        batch = sample_batch(self.corpus.head, self.rng, notes["batch"], notes["seq"])
        trainer.train_step(*batch)
        notes["nats_since_point"] += trainer.cross_entropy
        to_go = trainer.config.total_steps - trainer.step
        if to_go % self._interval(TRAINING_POINTS) == 0:
            before = notes["training"][-1][0] if notes["training"] else 0
            nats = notes["nats_since_point"] / (trainer.step - before)
            notes["training"].append([trainer.step, nats / NATS_PER_BIT])
            notes["nats_since_point"] = 0.0
        if to_go % self._interval(HELD_OUT_POINTS) == 0:
            bits = held_out_bits_per_byte(trainer.model, self.corpus, notes["seq"])
            notes["held_out"].append([trainer.step, bits])
        return self.status()

    def _interval(self, points: int) -> int:
        """Steps between points, counted from the end, so that the last is one."""
        return max(1, self.trainer.config.total_steps // points)

    def status(self) -> str:
        """The last point of each curve."""
        labels = {"training": "training", "held_out": "held out"}
        return ", ".join(
            f"{label} {self.notes[curve][-1][1]:.3f}"
            for curve, label in labels.items()
            if self.notes[curve]
        )

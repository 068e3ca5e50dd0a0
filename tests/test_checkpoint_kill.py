"""Checkpoints: a process killed while it saves leaves the old or the new file whole."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_checkpoint import IMPORTABLE

# The child saves without end, each time with every number equal to the step. The
# parent kills it after a while and reports what it finds.
KILL_AND_LOOK = """
import json, os, pathlib, random, signal, sys, time
import numpy as np
from moe import *

path, trials = pathlib.Path(sys.argv[1]), int(sys.argv[2])
model = Model.initialise(Config(64, 64, 1, 1, 1, 64, 2, 1, 256, 8), rng=0)
trainer = Trainer(model, TrainingConfig())
buffers = model.parameters.flat, trainer.m.flat, trainer.v.flat
rng = np.random.default_rng(0)

def save(step):
    trainer.step = step
    for buffer in buffers:
        buffer[...] = step
    save_checkpoint(path, trainer, rng, {"step": step})

save(0)
began = time.perf_counter()
save(1)
duration = time.perf_counter() - began
delays, found = random.Random(0), []
for trial in range(trials):
    first = trainer.step
    child = os.fork()
    if child == 0:
        while True:
            save(trainer.step + 1)
    time.sleep(delays.uniform(0, 4 * duration))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    trainer, _, notes = load_checkpoint(path)
    buffers = trainer.model.parameters.flat, trainer.m.flat, trainer.v.flat
    values = sorted({float(value) for buffer in buffers for value in np.unique(buffer)})
    partial = path.with_name(path.name + ".partial")
    found.append([first, trainer.step, notes["step"], values, partial.exists()])
    partial.unlink(missing_ok=True)
print(json.dumps(found))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path) -> None:
    trials = 40
    command = [sys.executable, "-c", KILL_AND_LOOK, "model.safetensors", str(trials)]
    result = subprocess.run(
        command, cwd=tmp_path, env=IMPORTABLE, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert len(found) == trials
    for before, step, noted, values, _ in found:
        assert step >= before
        assert (noted, values) == (step, [step])
    in_the_middle = sum(partial for *_, partial in found)
    assert in_the_middle >= trials // 10, "the kills missed the saving"
    assert found[-1][1] > 1, "nothing new was ever saved"

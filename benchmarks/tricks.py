"""What each trick of the code is worth: the package with one of them undone.

A trick is measured against the same code without it, in lockstep. What did not pay is
measured too: there the changed code holds the trick and the shipped code does not.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import UsageError
from benchmarks.processes import ROOT

FORWARD, TRAIN = "dispatch_warm", "mem_train_step"
WIDE_FORWARD, WIDE_TRAIN = "scale_forward_256", "scale_train_256"
TEXT_TRAIN = "text_train_64"


@dataclass(frozen=True)
class Trick:
    """One change of the shipped code.

    Attributes:
        name: What the command line and the tables call it.
        kept: Whether the shipped code has the trick; the change then undoes it, else
            it puts it in.
        module: File that is changed, relative to the package.
        edits: Pairs of shipped text, which stands once in the file, and its
            replacement.
        scenarios: Where it should show.
        story: What the trick is, in a sentence.
    """

    name: str
    kept: bool
    module: str
    edits: tuple[tuple[str, str], ...]
    scenarios: tuple[str, ...]
    story: str

    @property
    def variant(self) -> str:
        """What the changed code is called in a result."""
        return f"{'without' if self.kept else 'with'} {self.name}"

    def write(self, folder: Path) -> None:
        """Write the changed package into a folder.

        Raises:
            ValueError: If a text does not stand exactly once in the file.
        """
        package = folder / "moe"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "moe", package, ignore=ignored)
        path = package / self.module
        source = path.read_text(encoding="utf-8")
        for shipped, changed in self.edits:
            if source.count(shipped) != 1:
                raise ValueError(f"{self.name}: {shipped!r} does not stand once")
            source = source.replace(shipped, changed)
        path.write_text(source, encoding="utf-8")


TRICKS = (
    Trick(
        "kept-memory",
        True,
        "model.py",
        (("        keep_freed_memory()\n", ""),),
        (FORWARD, TEXT_TRAIN),
        "The C allocator is taught to keep what a pass frees.",
    ),
    Trick(
        "unit-major-experts",
        True,
        "equations/experts.py",
        (
            (', x.dtype, order="F")', ", x.dtype)"),
            ('np.empty_like(sorted_x, order="F")', "np.empty_like(sorted_x)"),
        ),
        (FORWARD, TRAIN, WIDE_FORWARD, WIDE_TRAIN),
        "The experts' buffers hold one hidden unit after the other.",
    ),
    Trick(
        "cached-rotations",
        True,
        "block.py",
        (("@functools.lru_cache(maxsize=8)\n", ""),),
        (FORWARD,),
        "The cosines and sines of all positions are computed once for a model.",
    ),
    Trick(
        "flat-buffer",
        True,
        "training.py",
        (
            (
                "(\n            (slice(None, decayed), config.weight_decay),\n"
                "            (slice(decayed, None), 0.0),\n        )",
                "[\n            (slice(end - t.size, end), config.weight_decay * "
                "(end <= decayed))\n"
                "            for t, end in zip(\n"
                "                gradients.tensors.values(),\n"
                "                np.cumsum([t.size for t in "
                "gradients.tensors.values()]).tolist(),\n"
                "                strict=True,\n            )\n        ]",
            ),
        ),
        (TRAIN,),
        "All parameters are one array: AdamW is called twice, not for every tensor.",
    ),
    Trick(
        "adamw-blocks",
        True,
        "equations/adamw.py",
        (("BLOCK = 65536", "BLOCK = 2**40"),),
        (TRAIN, WIDE_TRAIN),
        "AdamW works through blocks that stay in the caches.",
    ),
    Trick(
        "adamw-scalar-corrections",
        True,
        "equations/adamw.py",
        (
            (
                "rate = learning_rate * root2 / (1 - beta1**step)",
                "rate = learning_rate",
            ),
            (
                "np.sqrt(v_b, out=g)  # the gradient is used up: its memory serves",
                "np.sqrt(v_b / root2**2)",
            ),
            (
                "eps * root2  # [16c] the bias corrections are in rate and eps",
                "eps",
            ),
            ("np.divide(m_b, update,", "np.divide(m_b / (1 - beta1**step), update,"),
        ),
        (TRAIN,),
        "The bias corrections are taken out of the loop over elements.",
    ),
    Trick(
        "adamw-one-share",
        True,
        "equations/adamw.py",
        (
            ("gradient[block] * (factor * (1 - beta1))", "gradient[block] * factor"),
            ("m_b += g  #", "m_b += (1 - beta1) * g  #"),
            ("g *= (1 - beta2) / (1 - beta1) ** 2", "g *= 1 - beta2"),
        ),
        (TRAIN,),
        "The shares of both moments are formed in one array.",
    ),
    Trick(
        "clipping-in-adamw",
        True,
        "training.py",
        (
            (
                "self._update(gradients, step, float(rate), float(factor))",
                "gradients.flat *= factor\n"
                "        self._update(gradients, step, float(rate), 1.0)",
            ),
        ),
        (TRAIN,),
        "AdamW multiplies by the clipping factor while it holds the gradient.",
    ),
    Trick(
        "python-scalars",
        True,
        "training.py",
        (
            (
                "self._update(gradients, step, float(rate), float(factor))",
                "self._update(gradients, step, np.float64(rate), np.float64(factor))",
            ),
        ),
        (TRAIN,),
        "Scalars are Python floats; NumPy's would make the loop work in float64.",
    ),
    Trick(
        "unit-major-linear",
        False,
        "equations/linear.py",
        (("y = x @ weight.T", "y = (weight @ x.T).T"),),
        (FORWARD, TRAIN),
        "The layout of the experts' buffers for every other projection, too.",
    ),
    Trick(
        "keys-first-scores",
        False,
        "equations/attention.py",
        (
            (
                "scores = q @ k.swapaxes(2, 3)",
                "scores = (k @ q.swapaxes(2, 3)).swapaxes(2, 3)",
            ),
        ),
        (FORWARD,),
        "The scores lie key by key, so that the softmax reduces along columns.",
    ),
    Trick(
        "small-adamw-blocks",
        False,
        "equations/adamw.py",
        (("BLOCK = 65536", "BLOCK = 8192"),),
        (TRAIN,),
        "Blocks of AdamW that fit a core's first cache: more calls, nearer data.",
    ),
)


def named(text: str) -> list[Trick]:
    """The tricks that `--tricks` names.

    Raises:
        UsageError: If one is unknown.
    """
    by_name = {trick.name: trick for trick in TRICKS}
    names = list(by_name) if text == "all" else text.split(",")
    for name in names:
        if name not in by_name:
            raise UsageError(f"unknown trick {name!r}; there are {', '.join(by_name)}")
    return [by_name[name] for name in names]

"""Wrong and harmless layouts of the parameters: which part AdamW decays (E16)."""

from mutants.harness import Change

E16 = ("E16", "moe.parameters")

MUTANTS = (
    Change(
        *E16,
        "            if len(shape) > 1:\n                self.num_decayed = end",
        "            self.num_decayed = end",
        "gains counted among what decays",
    ),
    Change(
        *E16,
        "return dict(sorted(shapes.items(), key=lambda item: len(item[1]) == 1))",
        "return shapes",
        "gains between the matrices: the slice that decays holds most of them",
    ),
    Change(
        *E16,
        "key=lambda item: len(item[1]) == 1",
        "key=lambda item: len(item[1]) > 1",
        "gains first: nothing but matrices at the end of the slice",
    ),
)

HARMLESS = (
    Change(
        *E16,
        "            if len(shape) > 1:\n                self.num_decayed = end",
        "            self.num_decayed += math.prod(shape) if len(shape) > 1 else 0",
        "the length of the matrices counted up",
    ),
)

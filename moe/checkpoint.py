"""Placeholder replaced in the next commit."""


class CheckpointError(Exception):
    """A checkpoint cannot be read or written."""


def save_checkpoint() -> None: ...
def load_checkpoint() -> None: ...

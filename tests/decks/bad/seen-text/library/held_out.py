"""A text that is held out."""

from kernels import kernel

TRAINING = "the cat sat on the mat by the door"
HELD_OUT = "the dog sat on a mat"


@kernel(kind="simulation", outputs={"tokens": "", "seen": ""})
def held_out():
    """Tokens of a text that was not trained on, and how many of its words were."""
    words = HELD_OUT.split()
    return {"tokens": len(words), "seen": sum(word in TRAINING.split() for word in words)}


@held_out.invariant
def no_word_was_seen(result):
    """No word of the held-out text stands in the training text."""
    return result["seen"] == 0

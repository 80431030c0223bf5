"""A simulation whose number comes from an installed package, whose version the record has to name."""

from kernels import kernel


@kernel(kind="simulation", outputs={"letters": ""}, needs=("yaml",))
def made_up_reader(text: str = "abc"):
    return {"letters": len(text)}


@made_up_reader.invariant
def every_letter_counts(result):
    """There are as many as the text has."""
    return result["letters"] == len(result.parameters["text"])

"""Cutting at every c-th token, or packing whole sentences up to c tokens: which cuts fewer answers, on texts of random sentences.

Sentences have log-normal lengths; an answer is a run of consecutive sentences that begins at any of them with equal chance. Neither way
overlaps. A greedy packer closes a chunk when the next sentence would not fit; a sentence longer than a chunk has to be cut.
"""

from typing import Annotated

from kernels import Bound, Free, kernel

SENTENCES = 20_000


@kernel(kind="simulation", outputs={"cut_fixed": "", "cut_packed": "", "chunks_ratio": "", "fill": ""}, draws=16)
def sentence_chunks(
    chunk: Annotated[int, Bound("token", low=16, high=8192)] = 256,
    sentence: Annotated[float, Bound("token", low=2.0, high=200.0)] = 25.0,
    spread: Annotated[float, Bound(low=0.01, high=1.5), Free(0.3, 0.8)] = 0.5,
    answer: Annotated[int, Bound(low=1, high=50)] = 2,
    seed: int = 0,
):
    """The shares of answers that each way cuts, the packed chunks over the fixed ones, and how full packed ones are.

    sentence: the mean length of a sentence. spread: the standard deviation of its logarithm, which no question fixes: prose lies between 0.3 and 0.8.
    answer: sentences of an answer.
    """
    import torch

    numbers = torch.Generator().manual_seed(seed)
    drawn = torch.randn(SENTENCES, generator=numbers, dtype=torch.float64) * spread - spread**2 / 2
    lengths = (sentence * drawn.exp()).round().clamp(min=1).long().tolist()
    starts, at = [], 0
    for length in lengths:
        starts.append(at)
        at += length
    ends = [start + length for start, length in zip(starts, lengths)]
    first, last, chunks, used = [], [], 0, chunk  # of each sentence: the chunks in which it begins and ends
    for length in lengths:
        if used + length > chunk and used:
            chunks, used = chunks + 1, 0
        first.append(chunks)
        while used + length > chunk:  # longer than a chunk: it fills this one and goes on
            length -= chunk - used
            chunks, used = chunks + 1, 0
        last.append(chunks)
        used += length
    runs = range(SENTENCES - answer + 1)
    fixed = sum(starts[i] // chunk != (ends[i + answer - 1] - 1) // chunk for i in runs)
    packed = sum(first[i] != last[i + answer - 1] for i in runs)
    return {
        "cut_fixed": fixed / len(runs),
        "cut_packed": packed / len(runs),
        "chunks_ratio": chunks / -(-at // chunk),
        "fill": at / (chunks * chunk),
    }


@sentence_chunks.invariant
def packing_needs_no_fewer_chunks(result) -> bool:
    """Whole sentences leave room at the end of chunks, so that there are as many chunks or more, and none is more than full."""
    return result["chunks_ratio"] >= 1 - 1e-12 and result["fill"] <= 1 + 1e-12

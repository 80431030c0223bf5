"""BPE by hand: which pairs a short text merges, in which order, and what WordPiece's score would have merged first.

    BPE         count(a b)                           (Sennrich et al. 2016, arXiv 1508.07909)
    WordPiece   count(a b) / (count(a) count(b))     (the rule given for BERT's tokenizer, as Hugging Face describes it)

The second is, but for a constant, exp of the pair's pointwise mutual information: the likelihood gained for EACH occurrence. The gain on
the whole text multiplies by the number of occurrences. Both are computed: the unigram log-likelihood sum_s c_s ln(c_s / sum c).
"""

import math
from collections import Counter
from typing import Annotated

from kernels import Bound, KernelError, Series, kernel
from kernels.library.transformers import _bpe


@kernel(
    kind="formula",
    outputs={
        "words": "",
        "symbols": "",
        "symbols_after": "",
        "first_count": "",
        "second_count": "",
        "third_count": "",
        "pair_count": "",
        "pair_score": "",
        "pair_gain": "",
        "best_score": "",
        "best_score_count": "",
        "best_score_gain": "",
        "best_gain": "",
        "repeated": "",
        "to_words": "",
        "steps": Series("merge", ""),
    },
)
def bpe_merges(text: str, pair: str = "a t", merges: Annotated[int, Bound(low=0, high=1000)] = 3):
    """BPE on a short text of characters: counts of its first merges, and one pair's count, WordPiece score and likelihood gain.

    symbols, symbols_after: characters of the text, and symbols after `merges` merges. pair: two symbols with a space between.
    best_score: the highest WordPiece score, with the count and gain of its pair. best_gain: the greatest gain of any pair (nats).
    repeated: merges of pairs that occur twice or more. to_words: merges until every word is one symbol. steps: symbols left.
    """
    words = Counter(_bpe.letter_words(text))
    learned = _bpe.train(words.elements(), 1000)
    if len(learned) < 3:  # three counts are outputs
        raise KernelError(f"bpe_merges: only {len(learned)} merges are possible in {text!r} (give a longer text)")
    left, _, right = pair.partition(" ")
    asked = (left.encode(), right.encode())
    pairs = _bpe.pair_counts(words)
    if asked not in pairs:
        raise KernelError(f"bpe_merges: the pair {pair!r} does not occur in {text!r} (give two symbols with a space between)")
    scores = {each: score(words, each) for each in pairs}
    best = max(scores, key=scores.__getitem__)
    sizes = [words_size(words)]
    for each, _count in learned:
        words = _bpe.merged(words, each)
        sizes.append(words_size(words))
    start = Counter(_bpe.letter_words(text))
    return {
        "words": len(text.split()),
        "symbols": sizes[0],
        "symbols_after": sizes[min(merges, len(learned))],
        "first_count": learned[0][1],
        "second_count": learned[1][1],
        "third_count": learned[2][1],
        "pair_count": pairs[asked],
        "pair_score": scores[asked],
        "pair_gain": gain(start, asked),
        "best_score": scores[best],
        "best_score_count": pairs[best],
        "best_score_gain": gain(start, best),
        "best_gain": max(gain(start, each) for each in pairs),
        "repeated": sum(count > 1 for _, count in learned),
        "to_words": len(learned),
        "steps": {"merge": list(range(len(sizes))), "symbols": sizes},
    }


def score(words: Counter, pair: _bpe.Pair) -> float:
    symbols = _bpe.symbol_counts(words)
    return _bpe.pair_counts(words)[pair] / (symbols[pair[0]] * symbols[pair[1]])


def gain(words: Counter, pair: _bpe.Pair) -> float:
    """How much the text's log-likelihood under its best unigram model rises when the pair becomes one symbol, in nats."""
    return log_likelihood(_bpe.merged(words, pair)) - log_likelihood(words)


def log_likelihood(words: Counter) -> float:
    counts = _bpe.symbol_counts(words).values()
    return sum(c * math.log(c / sum(counts)) for c in counts)


def words_size(words: Counter) -> int:
    return sum(len(word) * count for word, count in words.items())


@bpe_merges.figure
def draw(result, ax):
    from kernels import plot

    words = Counter(_bpe.letter_words(result.parameters["text"]))
    learned = _bpe.train(words.elements(), 1000)
    order = list(_bpe.letter_words(result.parameters["text"]))
    repeated = [merge for merge in learned if merge[1] > 1]
    rows = [("start", order, None)]
    for pair, count in repeated:
        order = [_bpe.join(word, pair) for word in order]
        rows.append((f"{count} times", order, pair[0] + pair[1]))
    plot.height(ax, 34 * len(rows) + 4)
    ax.set(xlim=(0, plot.WIDTH), ylim=(34 * len(rows), 0))
    ax.axis("off")
    for row, (head, cut, new) in enumerate(rows):
        y = 34 * row + 17
        ax.text(0, y, head, color=plot.MUTED, size=plot.SMALL, va="center")
        x = 52.0
        for word in cut:
            for symbol in word:
                width = 4 + 8 * len(symbol.decode())
                ax.add_patch(box(x, y - 11, width, 22, plot.SKY if symbol == new else plot.STONE))
                ax.text(x + width / 2, y, symbol.decode(), color=plot.INK, size=plot.TEXT, ha="center", va="center")
                x += width + 1.5
            x += 6
    said = "; then ".join(f"{(p[0] + p[1]).decode()} ({count} times)" for p, count in repeated)
    return f"Merges of {result.parameters['text']!r}: {said}. After them: {' '.join('|'.join(s.decode() for s in word) for word in order)}."


def box(x, y, width, height, color):
    from matplotlib.patches import Rectangle

    return Rectangle((x, y), width, height, facecolor=color)

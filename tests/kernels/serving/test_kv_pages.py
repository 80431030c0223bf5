"""The used share against every length enumerated, requests played with dice, and closed forms."""

import math
import random
from fractions import Fraction

import pytest

from kernels import KernelError
from kernels.library.serving.kv_pages import kv_pages, paged, survival


def enumerated(chances: dict[int, Fraction], prompt: int, longest: int, page: int) -> tuple[Fraction, ...]:
    """held, final and pages by step, every output with its chance, every step for itself."""
    steps = held = final = pages = Fraction(0)
    for output, chance in chances.items():
        for made in range(1, output + 1):
            tokens = prompt + made
            steps += chance
            held += chance * tokens
            final += chance * (prompt + output)
            pages += chance * page * math.ceil(Fraction(tokens, page))
    assert prompt + max(chances) <= longest
    return held / steps, final / steps, pages / steps


@pytest.mark.oracle("kv_pages", "all lengths of a small distribution enumerated in fractions, and requests played one by one")
@pytest.mark.parametrize("page", [1, 3, 4, 16])
def test_every_length_of_a_small_distribution(page):
    """The kernel's own chances at so few lengths, handed to a count of every output's every step."""
    prompt, longest = 5, 17
    tail = survival(4.0, 0.8, longest - prompt)
    chances = {j: Fraction(tail[j - 1]) - (Fraction(tail[j]) if j < len(tail) else 0) for j in range(1, len(tail) + 1)}
    held, final, pages = enumerated(chances, prompt, longest, page)
    got = kv_pages(page=page, prompt=prompt, output=4.0, spread=0.8, longest=longest)
    assert got["held"] == pytest.approx(float(held)) and got["longest_used"] == pytest.approx(float(held / longest))
    assert got["final_used"] == pytest.approx(float(held / final))
    assert got["pages_used"] == pytest.approx(float(held / pages)) and got["page_waste"] == pytest.approx(float(pages - held), abs=1e-9)
    assert sum(j * c for j, c in chances.items()) == pytest.approx(4.0)


def test_requests_played_with_dice():
    dice, prompt, longest, page = random.Random(3), 161, 2048, 16
    tail = survival(338.0, 0.9, longest - prompt)
    middle = next(math.log(j) for j, s in enumerate(tail, 1) if s < 0.5)
    held = pages = steps = made = requests = 0
    for _ in range(6000):
        output = min(longest - prompt, max(1, math.ceil(math.exp(dice.gauss(middle, 0.9)))))
        requests, made = requests + 1, made + output
        for j in range(1, output + 1):
            held, steps, pages = held + prompt + j, steps + 1, pages + page * -(-(prompt + j) // page)
    got = kv_pages()
    assert made / requests == pytest.approx(338, rel=0.03)
    assert got["held"] == pytest.approx(held / steps, rel=0.04)
    assert got["pages_used"] == pytest.approx(held / pages, rel=2e-3)


def test_the_mean_waste_of_a_page_is_half_of_one_less():
    """Lengths spread over many pages fill the last one evenly: (B - 1) / 2."""
    for page in (1, 2, 8, 16, 32):
        assert kv_pages(page=page)["page_waste"] == pytest.approx((page - 1) / 2, rel=0.05, abs=1e-9)


def test_shares_add_up_and_the_ends():
    got = kv_pages(page=1)
    assert got["pages_used"] == pytest.approx(1)
    assert got["longest_used"] + got["reserved"] + got["never"] == pytest.approx(1)
    whole = kv_pages(page=2048)
    assert whole["pages_used"] == pytest.approx(whole["longest_used"])
    assert paged([1.0, 1.0], 3, 4) == 4 + 8


@pytest.mark.parametrize("spread", [0.5, 0.9, 1.2])
def test_published_shares_and_batches_are_of_that_size(spread):
    """Figure 2: 20.4 % with the longest reserved, 96.3 % in pages; figure 13a: 7.00 and 30.42 requests, on the trace itself."""
    got = kv_pages(spread=spread)
    assert got["requests_longest"] == 7
    assert 0.14 < got["longest_used"] < 0.32 and 0.96 < got["pages_used"] < 0.99
    assert 22 < got["requests_pages"] < 50


def test_what_has_no_room_is_refused():
    with pytest.raises(KernelError, match="give a longest"):
        kv_pages(prompt=2000, output=100)

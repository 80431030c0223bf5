"""Shared pages against a block manager with reference counts that copies on write."""

import pytest

from kernels.library.serving.shared_pages import shared_pages


def played(samples: int, prompt: int, output: int, page: int) -> tuple[int, int]:
    """Pages in use, and copies made, after `samples` forks of a prompt each wrote `output` tokens, a token of each in turn."""
    counts: dict[int, int] = {}
    fresh = iter(range(10**6))

    def new() -> int:
        counts[block := next(fresh)] = 1
        return block

    table = [new() for _ in range(-(-prompt // page))]
    tables = [list(table) for _ in range(samples)]
    for block in table:
        counts[block] = samples
    copies = 0
    for made in range(output):
        for mine in tables:
            place = prompt + made
            if place // page == len(mine):
                mine.append(new())
            elif counts[mine[-1]] > 1:
                counts[mine[-1]] -= 1
                mine[-1] = new()
                copies += 1
    return len({block for mine in tables for block in mine}), copies


@pytest.mark.oracle("shared_pages", "a block manager with reference counts that copies on write, played token by token")
@pytest.mark.parametrize("samples", [1, 2, 4, 6])
@pytest.mark.parametrize("prompt, output, page", [(161, 338, 16), (100, 1, 16), (96, 40, 16), (5, 3, 16), (19, 58, 1)])
def test_a_block_manager(samples, prompt, output, page):
    got = shared_pages(samples=samples, prompt=prompt, output=output, page=page)
    assert (got["shared"], got["copied"]) == played(samples, prompt, output, page)
    assert got["apart"] == samples * played(1, prompt, output, page)[0]


def test_published_savings_are_of_that_size():
    """Section 6.3: 16.2 to 30.5 % on ShareGPT, two to six samples, whose mean lengths these are."""
    assert shared_pages(samples=2)["saving"] == pytest.approx(0.162, abs=0.02)
    assert shared_pages(samples=6)["saving"] == pytest.approx(0.305, abs=0.05)

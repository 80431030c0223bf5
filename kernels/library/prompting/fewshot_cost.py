"""What examples in a prompt cost a call, by tokens and by the bill.

    bill of a call = (base + examples) * input price + output * output price

A share of the example tokens may come from a prefix cache, billed at a part of the price. Prices are dollars for a million tokens, and the
asker's. Output does not grow with examples, so that the bill grows less than the tokens read.
"""

from typing import Annotated

from kernels import Bound, Free, Series, kernel

COUNTS = tuple(range(11))
OUTPUTS = (10, 50, 300)


@kernel(
    kind="formula",
    outputs={
        "tokens_zero": "token",
        "tokens_few": "token",
        "token_ratio": "",
        "cost_zero": "USD",
        "cost_few": "USD",
        "cost_ratio": "",
        "extra_call": "USD",
        "extra_tokens_day": "token",
        "extra_day": "USD",
        "extra_month": "USD",
        "worth": "USD",
        "worth_gain": "",
        "budget_tokens": "token",
        "sweep": Series("examples", "USD"),
    },
)
def fewshot_cost(
    base: Annotated[int, Bound("token", low=1, high=1_000_000)] = 150,
    example: Annotated[int, Bound("token", low=1, high=1_000_000)] = 100,
    examples: Annotated[int, Bound(low=0, high=10_000), Free(1, 10)] = 5,
    output: Annotated[int, Bound("token", low=0, high=1_000_000)] = 50,
    price_in: Annotated[float, Bound("USD", low=1e-4, high=1e4), Free(2.5, 30.0)] = 2.5,
    price_out: Annotated[float, Bound("USD", low=1e-4, high=1e5)] = 10.0,
    calls: Annotated[float, Bound(low=1.0, high=1e12)] = 5e6,
    cached: Annotated[float, Bound(low=0.0, high=1.0)] = 0.0,
    cached_price: Annotated[float, Bound(low=0.0, high=1.0)] = 0.1,
    gain: Annotated[float, Bound(low=1e-6, high=1.0)] = 0.01,
    value: Annotated[float, Bound("USD", low=1e-9, high=1e6)] = 0.01,
    budget: Annotated[float, Bound("USD", low=1e-6, high=1e6)] = 0.5,
):
    """The bill with and without examples, for a thousand calls and for a day, and the gain that pays for them.

    base: of the prompt without examples. examples: free from one to ten, what a prompt is called few-shot with. price_in: free, since list prices
    of models of one class lie that far apart. price_in, price_out: for a million tokens. calls: a day. cached: the share of calls whose example
    tokens a prefix cache serves, at cached_price times the input price. cost_zero, cost_few: of a thousand calls. extra_month: of 30 days. worth:
    what a further right answer must be worth for a gain of `gain` to pay; worth_gain: the gain in accuracy that pays, a right answer being worth
    `value`. budget_tokens: input tokens a call that `budget` for a thousand calls buys, with no output. sweep: the bill of a thousand calls by
    examples, for three lengths of output, examples not cached.
    """
    shown = example * examples
    paid = shown * (1 - cached + cached * cached_price)

    def bill(tokens: float, out: int) -> float:
        return (tokens * price_in + out * price_out) / 1e3  # of a thousand calls

    zero, few = bill(base, output), bill(base + paid, output)
    extra = (few - zero) / 1e3
    return {
        "tokens_zero": base,
        "tokens_few": base + shown,
        "token_ratio": (base + shown) / base,
        "cost_zero": zero,
        "cost_few": few,
        "cost_ratio": few / zero,
        "extra_call": extra,
        "extra_tokens_day": calls * shown,
        "extra_day": calls * extra,
        "extra_month": 30 * calls * extra,
        "worth": extra / gain,
        "worth_gain": extra / value,
        "budget_tokens": budget / 1e3 / (price_in / 1e6),
        "sweep": {"examples": COUNTS, **{f"{out} tokens out": [bill(base + example * n, out) for n in COUNTS] for out in OUTPUTS}},
    }


@fewshot_cost.figure
def draw(result, ax):
    from kernels import plot

    plot.height(ax, 210)
    plot.lines(ax, result["sweep"], x_label="examples in the prompt", y_label="1,000 calls")

"""When a fine-tuned model, which needs no examples, pays for itself by the shorter prompt.

    saved a day = calls * (bill with examples - bill of the tuned model) - hosting a day        days = once / saved a day

The tuned model's tokens may cost more, by a factor, and hosting it may cost a fixed sum a day. All prices are the asker's; people's time is not
in them unless `once` has it.
"""

from typing import Annotated

from kernels import Bound, KernelError, kernel
from kernels.library.prompting.fewshot_cost import fewshot_cost


@kernel(
    kind="formula",
    outputs={"saved_day": "USD", "days": "", "days_without_premium": "", "even_calls": "", "cost_tuned": "USD", "cost_few": "USD"},
)
def fewshot_or_tune(
    base: Annotated[int, Bound("token", low=1, high=1_000_000)] = 150,
    example: Annotated[int, Bound("token", low=1, high=1_000_000)] = 100,
    examples: Annotated[int, Bound(low=1, high=10_000)] = 5,
    output: Annotated[int, Bound("token", low=0, high=1_000_000)] = 5,
    price_in: Annotated[float, Bound("USD", low=1e-4, high=1e4)] = 0.15,
    price_out: Annotated[float, Bound("USD", low=1e-4, high=1e5)] = 0.6,
    calls: Annotated[float, Bound(low=1.0, high=1e12)] = 5e6,
    cached: Annotated[float, Bound(low=0.0, high=1.0)] = 0.0,
    cached_price: Annotated[float, Bound(low=0.0, high=1.0)] = 0.1,
    premium: Annotated[float, Bound(low=1.0, high=100.0)] = 2.0,
    hosting: Annotated[float, Bound("USD", low=0.0, high=1e6)] = 0.0,
    once: Annotated[float, Bound("USD", low=0.0, high=1e9)] = 5000.0,
):
    """Days until a fine-tuned model that needs no examples has paid for itself, against the examples' bill.

    premium: price of the tuned model's tokens over the other's. hosting: of the tuned model, a day. once: spent on data, training and evaluation.
    even_calls: calls a day at which hosting alone eats what is saved. cost_tuned, cost_few: of a thousand calls.
    """
    given = fewshot_cost(
        base=base, example=example, examples=examples, output=output, price_in=price_in, price_out=price_out, cached=cached, cached_price=cached_price
    )
    tuned, few = premium * given["cost_zero"], given["cost_few"]
    per_call = (few - tuned) / 1e3
    saved = calls * per_call - hosting
    if per_call <= 0 or saved <= 0:
        raise KernelError(
            f"fewshot_or_tune: a thousand calls cost {few:.4g} with examples and {tuned:.4g} tuned, hosting apart, "
            "so that tuning never pays back; give more calls, a lower premium or cheaper hosting"
        )
    plain = calls * (few - given["cost_zero"]) / 1e3
    return {
        "saved_day": saved,
        "days": once / saved,
        "days_without_premium": once / plain,
        "even_calls": hosting / per_call,
        "cost_tuned": tuned,
        "cost_few": few,
    }

"""Demographic parity against equalized odds: two groups with the same hit and false-alarm rates, but different base rates.

    P(selected | group) = TPR p + FPR (1 - p)        gap = (TPR - FPR) (p_a - p_b)

Equal TPR and FPR (equalized odds, Hardt et al. 2016, arXiv 1610.02413) give equal selection (demographic parity) only where the
base rates p agree, or where TPR = FPR and the classifier says nothing.
"""

from typing import Annotated

from kernels import Bound, kernel

Rate = Annotated[float, Bound(low=0.0, high=1.0)]


@kernel(kind="formula", outputs={"selected_a": "", "selected_b": "", "gap": "", "precision_a": "", "precision_b": ""})
def parity_gap(tpr: Rate = 0.8, fpr: Rate = 0.1, base_a: Rate = 0.5, base_b: Rate = 0.2):
    """The share selected in each of two groups, its gap (in absolute value) and each group's precision, at equal hit and false-alarm rates.

    precision is 0 where nobody is selected.
    """
    selected = {g: tpr * p + fpr * (1 - p) for g, p in (("a", base_a), ("b", base_b))}
    return {
        **{f"selected_{g}": share for g, share in selected.items()},
        "gap": abs(selected["a"] - selected["b"]),
        **{f"precision_{g}": tpr * p / selected[g] if selected[g] else 0.0 for g, p in (("a", base_a), ("b", base_b))},
    }

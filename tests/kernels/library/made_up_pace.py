"""A measurement that runs anywhere: sums of rows, timed through the laboratory's clock."""

from kernels import Series, kernel, timing

ROWS = 4096


@kernel(
    kind="measurement",
    outputs={"time": "s", "rows": "", "added": "", "sweep": Series("rows", "s")},
    on="any",
    memory=lambda columns: 8 * ROWS * columns,
    rehearsal={"columns": 16, "ROWS": 8},
    headline="time",
)
def made_up_pace(columns: int = 1024):
    """Seconds of a sum of ROWS rows."""
    import torch

    x = torch.ones(ROWS, columns, device=timing.device())
    time = timing.measure(x.sum, flush=False)
    return {"time": time, "rows": ROWS, "added": x.sum(), "sweep": {"rows": [ROWS, 2 * ROWS], "sum": [time, 2 * time]}}


@made_up_pace.figure
def draw(result, ax):
    from kernels import plot

    plot.lines(ax, result["sweep"], x_label="rows", y_label="time")


@made_up_pace.predicted
def predict(result):
    return 1e-9 if result.made["device_class"] != "unknown" else None

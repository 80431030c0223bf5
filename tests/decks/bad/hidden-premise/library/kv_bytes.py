"""A cache."""

from typing import Literal

from kernels import kernel


@kernel(kind="formula", outputs={"bytes": "B"})
def kv_bytes(layers: int = 2, width: int = 8, dtype: Literal["bf16", "fp32"] = "bf16", name: str = "x"):
    """Bytes of one token."""
    return {"bytes": 2 * layers * width * {"bf16": 2, "fp32": 4}[dtype]}

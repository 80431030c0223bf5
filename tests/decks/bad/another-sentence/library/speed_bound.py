"""A bound from above."""

from kernels import Upper, kernel


@kernel(kind="formula", outputs={"speedup": Upper("")})
def speed_bound(bits: int = 4):
    """At most this much faster: bytes alone."""
    return {"speedup": 31.04 / bits}

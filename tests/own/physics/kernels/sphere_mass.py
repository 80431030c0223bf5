"""The mass of a solid sphere: m = 4/3 pi r^3 rho."""

from math import pi
from typing import Annotated

from kernels import Bound, kernel


@kernel(kind="formula", outputs={"mass": "kg", "volume": "m*m*m"})
def sphere_mass(radius: Annotated[float, Bound("m", low=0)] = 0.1, density: Annotated[float, Bound("kg/m/m/m", low=0)] = 7870.0):
    """The mass of a solid sphere, of iron where nothing else is said."""
    volume = 4 / 3 * pi * radius**3
    return {"mass": volume * density, "volume": volume}

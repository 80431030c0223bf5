"""Values of this package as bytes, between processes and in what is kept.

In: results and declarations. Out: bytes, and the values again, if they are made of nothing but this package's own and Python's plain ones.
"""

from __future__ import annotations

import io
import pickle
from typing import Any

PLAIN = ("int", "float", "str", "bool", "complex", "set", "frozenset")


def packed(value: Any) -> bytes:
    return pickle.dumps(value, 5)


def loaded(content: bytes) -> Any:
    return _Values(io.BytesIO(content)).load()


class _Values(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        ours = module.startswith("kernels.") and not module.startswith("kernels.library.")
        if ours or (module == "builtins" and name in PLAIN) or (module, name) == ("inspect", "_empty"):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no value")

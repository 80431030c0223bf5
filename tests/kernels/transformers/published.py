"""The packages that published tokenizers and texts come from; tests that need them are skipped where they are not installed."""

import importlib.util

import pytest

from kernels.library.transformers import _specimens, _tokenizers

LACKING = [name for name in (*_tokenizers.NEEDS, *_specimens.NEEDS) if importlib.util.find_spec(name) is None]
published = pytest.mark.skipif(bool(LACKING), reason=f"needs {', '.join(LACKING)} (make tokenizers)")

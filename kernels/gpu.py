"""Whether a GPU may be here, without asking a driver or loading torch."""

from __future__ import annotations

import os


def may_have_gpu() -> bool:
    """A look at the device files, so that machines without a GPU never install or load torch for one."""
    if any(map(os.path.exists, ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg"))):
        return True
    return any(os.access(os.path.join(folder, "nvidia-smi"), os.X_OK) for folder in os.environ.get("PATH", "").split(os.pathsep))

"""A worker of a cluster as the tests want it, which distributed preloads: made-up kernels, and GPUs that are not there.

The environment says which: MADE_UP_LIBRARY, the folder of the kernels; MADE_UP_GPUS="h100,h200" by their numbers; MADE_UP_OTHER, what
the worker of GPU 1 has otherwise, "commit" or "code".
"""

import os
from dataclasses import replace

from kernels import cluster, lab, library
from kernels.declare import find
from kernels.demand import Device
from kernels.machine import commit
from kernels.record import to_json


def dask_setup(worker):
    library.__path__.append(os.environ["MADE_UP_LIBRARY"])  # this file was copied to the worker's folder
    classes, ask, digests = os.environ.get("MADE_UP_GPUS", "").split(","), lab._ask, cluster.code_of

    def devices():
        mine = dict(enumerate(filter(None, classes))).get(int(os.environ[cluster.VISIBLE]))
        gpus = (Device(f"Made-up {mine}", mine, 2**34, 9.0),) if mine else ()
        return *gpus, Device("Made-up CPU", "made-up-cpu", 2**34, where="cpu")

    def asked(limit, function, *arguments, **more):
        if function is not lab._measured:
            return ask(limit, function, *arguments, **more)
        name, parameters, _ = arguments
        mine = devices()[0]
        made = {"kind": "measurement", "device": mine.name, "device_class": mine.device_class, "seconds": 1.0, "gpu": os.environ[cluster.VISIBLE]}
        return to_json(replace(find(name)(**parameters), made=made), {})

    def other(what):
        return os.environ.get(cluster.VISIBLE) == "1" and os.environ.get("MADE_UP_OTHER") == what

    lab.devices, lab._ask = devices, asked
    cluster.commit = lambda: "123456789abc+dirty" if other("commit") else commit()
    cluster.code_of = lambda name: {**digests(name), **({f"library/{name}.py": "0"} if other("code") else {})}

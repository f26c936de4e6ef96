"""Size a circuit on machines of a batch system: python docs/examples/batch_system.py slurm specs/opamp_cc.yaml"""

import sys
from typing import Any

from dask_jobqueue import JobQueueCluster, LSFCluster, SLURMCluster

import sizing

JOB: dict[str, Any] = {
    "queue": "analog",
    "cores": 8,  # simulators in a job
    "processes": 1,  # simulators are processes of their own, so that one of Dask's is enough for all of them
    "memory": "32 GB",  # of the job; `memory` in a spec's run settings limits each simulator
    "job_script_prologue": ["export DASK_DISTRIBUTED__WORKER__DAEMON=False"],  # lets Dask's workers start simulators
}


def slurm() -> SLURMCluster:
    return SLURMCluster(walltime="08:00:00", **JOB)


def lsf() -> LSFCluster:
    return LSFCluster(walltime="08:00", **JOB)


def size(spec: str, machines: JobQueueCluster) -> None:
    machines.adapt(minimum_jobs=1, maximum_jobs=2)  # jobs are sent in as there is work for them
    result = sizing.run(spec, batch=16, executor=machines.scheduler_address)
    print(result.status, result.folder)


if __name__ == "__main__":
    system, spec = sys.argv[1:]
    with {"slurm": slurm, "lsf": lsf}[system]() as machines:
        size(spec, machines)

# SPDX-License-Identifier: MIT
"""Runs the peers written in Python on the cases that the bench_* programs exported, and writes their times like Google
Benchmark does.

usage: run.py --threads N --out FILE FOLDER

Needs NumPy; PyTorch, JAX and optax take part where they can be imported, else one line says that they are skipped.
"""

import argparse
import glob
import importlib
import json
import os
import statistics
import sys
import time

try:
    import numpy
except ImportError:
    print("  peers in Python are skipped: NumPy is missing")
    sys.exit(0)


def start_again_pinned(threads):
    """Once: on the last processors, with the thread counts that libraries read when they are loaded, and without what
    holds OpenBLAS back. As harness/machine.cpp does."""
    mark = "SIGMAX_BENCH_PINNED_TO"
    if mark in os.environ:
        return
    processors = sorted(os.sched_getaffinity(0))[-threads:]
    os.sched_setaffinity(0, processors)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(threads)
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        os.environ.pop(name, None)
    os.environ[mark] = ",".join(map(str, processors))
    os.execv(sys.executable, [sys.executable, *sys.argv])


def peers(threads):
    """Of every library that is there: its version, and by work its peers. A peer has a name, `make`, which turns a case
    and its input into a function to time and one that returns the result, and perhaps `flops` of a case and a note."""
    for module in ("with_torch", "with_jax", "with_optax"):
        library = module.removeprefix("with_")
        try:
            yield importlib.import_module(module).offer(threads)
        except ImportError as problem:
            print(f"  {library} is skipped: {str(problem).splitlines()[0]}", flush=True)


def measure(run, case):
    """Median seconds and coefficient of variation, processor seconds; each repetition lasts for case["seconds"]."""
    run()
    start = time.perf_counter()
    run()
    count = max(1, int(case["seconds"] / max(1e-9, time.perf_counter() - start)))
    times, processor_times = [], []
    for _ in range(case["repetitions"]):
        start, processor_start = time.perf_counter(), time.process_time()
        for _ in range(count):
            run()
        times.append((time.perf_counter() - start) / count)
        processor_times.append((time.process_time() - processor_start) / count)
    variation = statistics.stdev(times) / statistics.mean(times)
    return statistics.median(times), variation, statistics.median(processor_times)


def error_of(result, expected):
    """|| result - expected ||_F / || expected ||_F in double."""
    difference = result.astype(numpy.float64) - expected.astype(numpy.float64)
    return float(numpy.linalg.norm(difference) / numpy.linalg.norm(expected.astype(numpy.float64)))


def entries(case, peer, folder):
    """The two aggregates of one peer in one case."""
    load = lambda kind: numpy.load(os.path.join(folder, case[kind])) if kind in case else None
    run, result = peer["make"](case, load("input"))
    seconds, variation, processor_seconds = measure(run, case)
    common = {"run_name": case["name"] + "/" + peer["name"], "run_type": "aggregate", "time_unit": "s"}
    median = {"name": common["run_name"] + "_median", **common, "aggregate_name": "median", "real_time": seconds,
              "cpu_time": processor_seconds, "flops": peer.get("flops", lambda _: 0)(case), "label": peer.get("note", "")}
    expected = load("expected")
    if expected is not None:
        median["error"] = error_of(result(), expected)
    print(f"  {common['run_name']:<72} {1e3 * seconds:11.3f} ms", flush=True)
    return [median, {"name": common["run_name"] + "_cv", **common, "aggregate_name": "cv", "real_time": variation,
                     "cpu_time": 0.0}]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("folder")
    given = parser.parse_args()
    start_again_pinned(given.threads)
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

    cases = []
    for path in sorted(glob.glob(os.path.join(given.folder, "*.json"))):
        with open(path) as file:
            case = json.load(file)
        if case["threads"] == given.threads:
            cases.append(case)
    if not cases:
        return
    versions, benchmarks = [], []
    for version, work in peers(given.threads):
        versions.append(version)
        print(f"  {version}", flush=True)
        for case in cases:
            for peer in work.get(case["work"], []):
                benchmarks += entries(case, peer, given.folder)
    with open(given.out, "w") as file:
        json.dump({"context": {"python": ", ".join(versions)}, "benchmarks": benchmarks}, file, indent=1)


if __name__ == "__main__":
    main()

"""What breaks first when a batch has 10, 100 or 1,000 workers: a small simulation, from costs that were measured.

    python -m benchmarks.cluster_limits [--in-flight 20] [--job-seconds 20] [--api-rate 20] [--hold-ms 2.5]

Writes of a batch wait for one lock, first come, first served: the one place where its workers wait for each other. A
job needs WRITES of them. A worker writes one transaction at a time, and what came meanwhile goes into the next one
together. The simulation lets all workers run with as many jobs in flight as they may have.
"""

from __future__ import annotations

import argparse
import heapq
import random
from collections import deque

# Of a job without faults: its place in the rate, the intent, the id, "to be fetched", the end. After the third it runs.
WRITES = 5
RUNS_AFTER = 3
# Between two writes of a job: the POST, the last poll, the files.
PAUSE_SECONDS = 0.1
# What each further write adds to a transaction.
SHARED_MS = 0.6
# The store's own, the queue's two, and one that listens.
CONNECTIONS = 4
# A worker looks where the batch stands, once a second, with so many reads, which wait for nothing.
READS = 3
# What is counted, after as long a time for the start.
SECONDS = 60.0


def simulate(
    workers: int, in_flight: int, hold: float, job_seconds: float, api_rate: float
) -> tuple[float, float, float]:
    """Jobs a second, the part of the time in which the lock is taken, and the longest wait for it in seconds."""
    chance = random.Random(workers)
    events: list[tuple[float, int, int, int]] = []  # when, a number, which worker, which write of its job
    numbers = iter(range(1 << 60))
    waiting: list[list[int]] = [[] for _ in range(workers)]
    queue: deque[tuple[float, int]] = deque()
    is_queued = [False] * workers
    for worker in range(workers):
        for _ in range(in_flight):
            heapq.heappush(events, (chance.uniform(0, job_seconds), next(numbers), worker, 0))
    free = busy = longest = next_slot = 0.0
    done = 0
    while events or queue:
        if queue and (not events or free <= events[0][0]):
            since, worker = queue.popleft()
            begins = max(free, since)
            if since > SECONDS:
                longest = max(longest, begins - since)
            writes, waiting[worker] = waiting[worker], []
            is_queued[worker] = False
            free = begins + hold + (len(writes) - 1) * SHARED_MS / 1000
            counts = begins > SECONDS
            busy += (free - begins) * counts
            for step in writes:
                pause = job_seconds if step + 1 == RUNS_AFTER else PAUSE_SECONDS
                if step == 0:
                    next_slot = max(next_slot, free) + 1 / api_rate
                    pause = next_slot - free
                done += counts and step + 1 == WRITES
                heapq.heappush(events, (free + pause, next(numbers), worker, (step + 1) % WRITES))
            continue
        moment, _, worker, step = heapq.heappop(events)
        if moment > 2 * SECONDS:
            break
        waiting[worker].append(step)
        if not is_queued[worker]:
            is_queued[worker] = True
            queue.append((moment, worker))
    return done / SECONDS, busy / SECONDS, longest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--in-flight", type=int, default=20, help="jobs in flight of one worker")
    parser.add_argument("--job-seconds", type=float, default=20.0, help="how long a job runs at RunComfy")
    parser.add_argument("--api-rate", type=float, default=1e6, help="submits a second that RunComfy takes")
    parser.add_argument("--hold-ms", type=float, default=2.5, help="how long a transaction holds the lock")
    options = parser.parse_args()
    print("| workers | in flight | connections | reads/s | jobs/s | lock taken | longest wait for it |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for workers in (10, 100, 1000):
        jobs, busy, longest = simulate(
            workers, options.in_flight, options.hold_ms / 1000, options.job_seconds, options.api_rate
        )
        print(
            f"| {workers:,} | {workers * options.in_flight:,} | {workers * CONNECTIONS:,} | {workers * READS:,}"
            f" | {jobs:.0f} | {min(busy, 1):.0%} | {longest:.2f} s |"
        )


if __name__ == "__main__":
    main()

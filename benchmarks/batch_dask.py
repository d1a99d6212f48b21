"""A batch on Dask: two processes share the ten calls a second that a service allows, and one of them is killed.

Run ``python benchmarks/batch_dask.py [calls]`` with the extra ``dask``. It prints the accepted calls a second and the
share refused after the first 60 requests, and how many prompts have exactly one outcome and one record.
"""

import os
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path

from batch_rates import measure
from batch_service import Bucket, CountingService

from providers_sdk import Client, read_journal


def main(calls: int, seconds: float) -> None:
    """Run the batch, and kill one worker in its middle."""
    from distributed import Client as Dask
    from distributed import LocalCluster

    with CountingService(lambda: seconds, bucket=Bucket(10)) as site, tempfile.TemporaryDirectory() as folder:
        os.environ.update(PROVIDERS_SDK_OPENAI_URL=site.url, PROVIDERS_SDK_OPENAI_KEY="fake-key")
        journal = Path(folder) / "journal.jsonl"
        seen: Counter[int] = Counter()
        with (
            LocalCluster(n_workers=2, threads_per_worker=8, dashboard_address=":0") as cluster,
            Dask(cluster, set_as_default=False) as dask,
            Client("openai", retries=0, proxy="", config=None) as client,
        ):
            pids = list(dask.run(os.getpid).values())
            for outcome in client.map(map("p{}".format, range(calls)), workers=16, executor=dask, journal=journal):
                seen[outcome.index] += outcome.error is None
                if len(seen) == calls // 2:
                    os.kill(pids[0], signal.SIGKILL)
        rate, refused, everything = measure(site.events)
        records = len(list(read_journal(journal)))
    again = sum(number - 1 for number in site.asked.values())
    print(
        f"two processes, one killed, answers of {seconds * 1000:.0f} ms: {rate:.2f}/s of 10, refused {refused:.1%} "
        f"({everything} in all); {sum(number == 1 for number in seen.values())} of {calls} prompts with one outcome, "
        f"{records} records; asked again: {again}, refusals included"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else 400, 0.5)

"""How a batch uses a service that allows ten calls a second: accepted calls a second, and the share refused.

Run ``python benchmarks/batch_rates.py [calls]``. The service has a token bucket (10 a second, at most 10 at once) and
refuses with 429 and ``Retry-After: 1``. What counts begins after the first 60 requests. The target is the smaller of
ten a second and workers ÷ answer time.
"""

import sys
import time

from batch_service import Bucket, CountingService

from providers_sdk import Client


def measure(events: list[tuple[float, bool]]) -> tuple[float, float, int]:
    """Return accepted calls a second and the share refused after the first 60 requests, and all refusals."""
    events = sorted(events)
    rest = events[60:]
    accepted = sum(ok for _, ok in rest)
    return accepted / (rest[-1][0] - events[59][0]), 1 - accepted / len(rest), sum(not ok for _, ok in events)


def run(calls: int, workers: int, seconds: float, rpm: float | None = None) -> None:
    """Measure one case."""
    with CountingService(lambda: seconds, bucket=Bucket(10)) as site, site.client() as client:
        batch = client.map(map("p{}".format, range(calls)), workers=workers, rpm=rpm)
        budget = batch._runner._schedule._find_budget(batch._names[0])
        failed = sum(outcome.error is not None for outcome in batch)
        rate, refused, all_refused = measure(site.events)
    target = min(10.0, workers / seconds)
    print(
        f"{workers:>3} workers, {seconds * 1000:>3.0f} ms{', rpm=600' if rpm else '':9}: {rate:5.2f}/s = "
        f"{rate / target:4.0%} of {target:g}; refused {refused:5.1%} ({all_refused} in all), cuts {budget.cuts}, "
        f"failed {failed}"
    )


def run_two(calls: int, seconds: float) -> None:
    """Two services in a fallback list, ten a second each."""
    slow = lambda: seconds  # noqa: E731
    with CountingService(slow, bucket=Bucket(10)) as one, CountingService(slow, bucket=Bucket(10)) as two:
        settings = {
            "one": {"provider": "openai", "url": one.url, "key": "fake-key"},
            "two": {"provider": "openai", "url": two.url, "key": "fake-key"},
        }
        with Client(["one", "two"], settings=settings, retries=0, proxy="", config=None) as client:
            started = time.monotonic()
            failed = sum(
                outcome.error is not None for outcome in client.map(map("p{}".format, range(calls)), workers=16)
            )
            took = time.monotonic() - started
        shares = [sum(ok for _, ok in site.events) for site in (one, two)]
        refused = sum(not ok for site in (one, two) for _, ok in site.events)
    print(f"two services in a list: {calls / took:.1f}/s, answers {shares}, refused {refused}, failed {failed}")


if __name__ == "__main__":
    count = int(sys.argv[1]) if sys.argv[1:] else 600
    run_two(count, 0.1)
    for answer in (0.005, 0.5):
        for number in (1, 8, 64):
            if number / answer > 10:
                run(count, number, answer, 600.0)
            run(count if number / answer > 10 else count // 3, number, answer)

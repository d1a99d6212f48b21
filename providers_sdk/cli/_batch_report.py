"""What a journal holds, in numbers."""

from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from providers_sdk import Outcome
from providers_sdk._engine.batch.outcome import is_final

__all__ = ["format_report", "make_report"]

_PERCENTILES = (50, 90, 99, 100)


def make_report(outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Return counts, errors by class, providers, tokens, and percentiles of the seconds that answers took."""
    counts, errors, providers = Counter[str](), Counter[str](), Counter[str]()
    seconds = array("d")
    for outcome in outcomes:
        counts["prompts"] += 1
        counts["attempts"] += len(outcome.attempts)
        if outcome.error is None:
            counts["answered"] += 1
            seconds.append(outcome.seconds)
            providers[outcome.provider or ""] += 1
        else:
            counts["refused_for_good" if is_final(outcome.error) else "to_be_asked_again"] += 1
            errors[type(outcome.error).__name__] += 1
        if outcome.usage is not None:
            counts["prompt_tokens"] += outcome.usage.prompt_tokens or 0
            counts["completion_tokens"] += outcome.usage.completion_tokens or 0
    names = ("prompts", "answered", "to_be_asked_again", "refused_for_good", "attempts")
    return {
        **{name: counts[name] for name in names},
        "errors": dict(errors.most_common()),
        "providers": dict(providers.most_common()),
        "tokens": {"prompt": counts["prompt_tokens"], "completion": counts["completion_tokens"]},
        "seconds": _find_percentiles(sorted(seconds)),
    }


def format_report(report: Mapping[str, Any]) -> str:
    """Return the report for readers, one fact a line."""
    rows = [(name.replace("_", " "), f"{value:,}") for name, value in report.items() if isinstance(value, int)]
    for title in ("errors", "providers", "tokens"):
        rows += [(f"{title}: {name}", f"{value:,}") for name, value in report[title].items()]
    rows += [(f"seconds: {name}", f"{value:.3f}") for name, value in report["seconds"].items()]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value:>12}" for name, value in rows)


def _find_percentiles(ordered: list[float]) -> dict[str, float]:
    """Return percentiles by the nearest rank."""
    if not ordered:
        return {}
    ranks = {f"p{share}": -(-share * len(ordered) // 100) - 1 for share in _PERCENTILES}
    return {"max" if name == "p100" else name: round(ordered[rank], 6) for name, rank in ranks.items()}

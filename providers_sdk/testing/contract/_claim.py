"""A claim: one sentence of the contract, and the check that it holds."""

from collections.abc import Callable
from dataclasses import dataclass

from providers_sdk.testing.contract._harness import ClaimFailed, Harness

__all__ = ["Claim", "claim", "expect"]

Check = Callable[[Harness], None]
Declared = Callable[[Harness], str]


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim of the contract.

    :param name: its name in reports.
    :param section: the section of the contract that it belongs to.
    :param text: the claim, in one or two sentences.
    :param check: raises :class:`ClaimFailed` where it does not hold.
    :param needs: names of claims without which it cannot be judged.
    :param exempt: returns the provider's own declaration by which it does not apply, or ``""``.
    """

    name: str
    section: str
    text: str
    check: Check
    needs: tuple[str, ...] = ()
    exempt: Declared = lambda _: ""


def claim(
    section: str, *, needs: tuple[str, ...] = ("answers",), exempt: Declared = lambda _: ""
) -> Callable[[Check], Claim]:
    """Make a claim of a function: its name is the claim's, its docstring the claim's text."""

    def make(check: Check) -> Claim:
        text = " ".join((check.__doc__ or "").split()).replace("``", "`")
        return Claim(check.__name__, section, text, check, needs, exempt)

    return make


def expect(holds: object, expected: str, happened: str) -> None:
    """Raise unless ``holds``.

    :raises ClaimFailed: with what was expected and what happened.
    """
    if not holds:
        raise ClaimFailed(f"expected {expected}; {happened}")

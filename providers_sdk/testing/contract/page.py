"""The contract as a page: ``python -m providers_sdk.testing.contract.page > docs/contract.md``."""

from itertools import groupby

from providers_sdk._plugins.hookspecs import CONTRACT
from providers_sdk.testing.contract import CLAIMS

__all__ = ["contract_page"]

_HEAD = f"""# The plugin contract, version {CONTRACT}

A provider is tested against these claims with its fake service, on this machine: by `providers check`, and in pytest by
a class that inherits `ProviderContract`. This page is generated from the claims themselves.

A claim that does not apply is exempt by the provider's own declaration, such as `supports_stream = False` or `offline
= True`, or because it does nothing of the kind, and the report says so. One that the fake service cannot show, such
as the order of turns where it has no `turns(received)`, is "not judged". One that cannot be judged because a simpler
one fails is "not reached".

While a claim is checked, sockets reach the fake service only, in whatever thread and with whatever library. Whatever
the provider tries to reach beyond it fails that claim, which names the address and the line of the plugin's code.

Where a claim lets the service fail, it fails at the request that carries the answer: the one of the fake service's
`reply_route`, a method and a path such as `("GET", "/jobs/*")`; without one, every `POST`. The requests before it, such
as that of a page, a session or a job, get wrong responses in `survives_every_response` only. To run a whole claim at
another request, write a second test class whose fake service is a subclass with another `reply_route`.
"""
_LIMITS = """
## What a contract cannot know

- **What the real service does.** All is judged at the fake service. Where that is wrong (a field with another name,
  an error that looks different), provider and fake may be wrong together. Write the fake from recordings of the
  service, and use `providers check --live` now and then.
- **What a name means.** That the option `temperature` changes the request is seen; that its field is the right one is
  not. The same holds for settings, models and roles: `turns(received)` reads the protocol as the fake's author
  understood it.
- **Answers that the fake does not give.** Only what its healthy answer holds is read: a finish reason, a token count
  or a served model that the fake never sends is never checked, nor is one that the provider invents. The fake's
  `cases` are for tests of your own.
- **What leaves by another way.** Child processes and C libraries with sockets of their own are not seen, nor are
  files.
- **Which header a key belongs in.** A secret may be in a header whose name says so (`authorization`, `x-api-key`,
  `cookie`).
- **What happens rarely.** A fault that needs a thousand calls, two weeks or a certain moment is not found.
- **Waiting.** A provider that polls is found by its sending a request twice; a fake whose job is done at once shows
  nothing. Code that waits without `http` is seen as `time.sleep` in the plugin's own lines, or by the time that it
  takes.
- **Manners.** Terms of use, prices and rates of the service are the author's to respect.
"""


def contract_page() -> str:
    """Return the contract as Markdown."""
    parts = [_HEAD]
    for section, claims in groupby(CLAIMS.values(), key=lambda claim: claim.section):
        rows = [f"- **{claim.name}**: {claim.text}" for claim in claims]
        parts.append("\n".join([f"## {section}", "", *rows, ""]))
    return "\n".join(parts) + _LIMITS


if __name__ == "__main__":
    print(contract_page(), end="")  # noqa: T201  printing is what it is for

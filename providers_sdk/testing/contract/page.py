"""The contract as a page: ``python -m providers_sdk.testing.contract.page > docs/contract.md``."""

from itertools import groupby

from providers_sdk._plugins.hookspecs import CONTRACT
from providers_sdk.testing.contract import CLAIMS

__all__ = ["contract_page"]

_HEAD = f"""# The plugin contract, version {CONTRACT}

A provider is tested against these claims with its fake service, on this machine: by `providers check`, and in pytest by
a class that inherits `ProviderContract`. This page is generated from the claims themselves.

A claim that does not apply is exempt by the provider's own declaration, such as `supports_stream = False` or
`offline = True`, and the report names it. One that cannot be judged because a simpler one fails is "not reached".
"""


def contract_page() -> str:
    """Return the contract as Markdown."""
    parts = [_HEAD]
    for section, claims in groupby(CLAIMS.values(), key=lambda claim: claim.section):
        rows = [f"- **{claim.name}**: {claim.text}" for claim in claims]
        parts.append("\n".join([f"## {section}", "", *rows, ""]))
    return "\n".join(parts)


if __name__ == "__main__":
    print(contract_page(), end="")  # noqa: T201  printing is what it is for

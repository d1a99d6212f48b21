"""Makes the reports on plugins, for ``providers list`` and ``doctor``; a call needs none of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pluggy

from providers_sdk._plugins.entry_points import BrokenDistribution, PluginEntry, find_bundled
from providers_sdk._plugins.loading import Loaded, conflict
from providers_sdk._plugins.remedies import find_remedy
from providers_sdk._plugins.report import PluginReport
from providers_sdk._provider.provider import Provider
from providers_sdk.errors import PluginError

__all__ = ["Reporter", "describe_broken", "describe_loaded", "describe_registered"]


class Reporter:
    """Describes what the plugins of one registry offer.

    :param look: returns what loading an offer found; ``None`` where it is neither loaded nor to be loaded.
    :param find_failure: returns why a hook of an extension failed, where one did.
    """

    def __init__(
        self,
        look: Callable[[PluginEntry], Loaded | None],
        find_failure: Callable[[pluggy.PluginManager | None], PluginError | None],
    ) -> None:
        self._look, self._find_failure = look, find_failure

    def describe_rivals(self, offers: list[PluginEntry]) -> list[PluginReport]:
        """Return the rows of all offers of one name; it means one of them, or none."""
        rivals = [offer for offer in offers if not offer.is_disabled]
        bundled = find_bundled(rivals)
        if len(rivals) < 2 or bundled is not None:
            return [self.describe(offer, bundled) for offer in offers]
        reason = conflict(rivals[0].entry.name, rivals).message
        return [
            _describe(offer, state="conflict", reason=reason, remedy=_write_choice(offer))
            if offer in rivals
            else self.describe(offer)
            for offer in offers
        ]

    def describe(self, offer: PluginEntry, bundled: PluginEntry | None = None) -> PluginReport:
        """Return the row of ``offer``, whose name means ``bundled`` where that is another one."""
        if offer.is_disabled:
            remedy = f"take {offer.entry.name} out of PROVIDERS_SDK_DISABLE"
            return _describe(offer, state="disabled", reason="PROVIDERS_SDK_DISABLE names it", remedy=remedy)
        if offer.is_switched_off:
            return _describe(offer, state="disabled", reason=f"{offer.switch} is not set", remedy=f"set {offer.switch}")
        row = self._describe_state(offer)
        if bundled in (None, offer) or row.reason:
            return row
        reason = f"{offer.entry.name!r} alone means the bundled provider"
        return replace(
            row,
            reason=reason,
            remedy=f"ask for {offer.qualified_name}, or PROVIDERS_SDK_DISABLE={bundled.qualified_name}",
        )

    def _describe_state(self, offer: PluginEntry) -> PluginReport:
        loaded = self._look(offer)
        if loaded is None:
            return _describe(offer)
        row, error = describe_loaded(loaded), self._find_failure(loaded.manager)
        if error is None:
            return row
        return replace(row, state="failed", reason=error.message, remedy=find_remedy(offer, error))


def describe_loaded(loaded: Loaded) -> PluginReport:
    """Return the row of a plugin that was loaded, or could not be."""
    return _describe(
        loaded.offer,
        state=loaded.state,
        reason=loaded.reason,
        remedy=loaded.remedy,
        import_seconds=loaded.import_seconds,
        hooks=loaded.hooks,
        requires_contract=loaded.requires_contract,
    )


def describe_registered(name: str, kind: type[Provider]) -> PluginReport:
    """Return the row of a provider that was registered at run time."""
    where = f"{kind.__module__}:{kind.__qualname__}"
    return PluginReport(name=name, state="loaded", entry_point=where, requires_contract=kind.requires_contract)


def describe_broken(found: BrokenDistribution) -> PluginReport:
    """Return the row of a distribution that cannot be read."""
    name, version = found.distribution
    return PluginReport(
        name=name,
        state="failed",
        reason=f"its entry points cannot be read: {found.reason} ({found.path})",
        remedy=f"pip install --force-reinstall {name}, or delete {found.path}",
        distribution=name,
        version=version,
    )


def _describe(offer: PluginEntry, **facts: Any) -> PluginReport:
    distribution, version = offer.distribution
    known = {"state": "available", **facts}
    return PluginReport(
        name=offer.entry.name,
        distribution=distribution,
        version=version,
        entry_point=offer.entry.value,
        group=offer.entry.group,
        **known,
    )


def _write_choice(offer: PluginEntry) -> str:
    pick, distribution = offer.qualified_name, offer.distribution[0]
    return f"ask for {pick}, or PROVIDERS_SDK_DISABLE={pick}, or pip uninstall {distribution}"

"""The report on one plugin."""

from dataclasses import dataclass

from providers_sdk._environment import redact_environment
from providers_sdk._plugins.entry_points import PROVIDERS
from providers_sdk._value import Value

__all__ = ["PluginReport"]


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class PluginReport(Value):
    """The state of one plugin.

    :param name: the provider's or extension's name; for a distribution that cannot be read, the distribution's.
    :param state: ``available`` (not imported yet), ``loaded``, ``failed``, ``conflict``, ``disabled`` or
        ``incompatible``.
    :param reason: why it is not well, or why its name alone does not mean it; else empty.
    :param remedy: how to fix it.
    :param distribution: the distribution that contains it, empty for one registered at run time.
    :param version: that distribution's version.
    :param entry_point: the entry point's value.
    :param group: the entry point's group.
    :param import_seconds: how long its import took, where it was tried.
    :param hooks: names of the hooks that it implements, where it was imported.
    :param requires_contract: versions of the plugin contract that it asks for.
    """

    name: str
    state: str
    reason: str = ""
    remedy: str = ""
    distribution: str = ""
    version: str = ""
    entry_point: str = ""
    group: str = PROVIDERS
    import_seconds: float | None = None
    hooks: tuple[str, ...] = ()
    requires_contract: str = ""

    def __post_init__(self) -> None:
        """Hide what the environment holds of secrets: what is wrong with a plugin is told in its code's words."""
        if not self.reason:
            return
        redact = redact_environment()
        for name in ("reason", "remedy", "requires_contract"):
            object.__setattr__(self, name, redact(getattr(self, name)))

    @property
    def qualified_name(self) -> str:
        """The name that means this plugin and no other: ``dist:name``; the name alone where it has no distribution."""
        return f"{self.distribution}:{self.name}" if self.distribution else self.name

    @property
    def healthy(self) -> bool:
        """Whether it can be used, or is off because the user wants it so."""
        return self.state in ("available", "loaded", "disabled")


PluginReport.__module__ = "providers_sdk"

"""The line that ``providers --help`` prints for each command, so that it loads none of them."""

__all__ = ["SHORT_HELP"]

SHORT_HELP = {
    "demo": "See four providers answer, without a network.",
    "chat": "Ask a provider, and print the answer as it arrives.",
    "batch": "Ask many prompts from a file, and resume where it stopped.",
    "list": "Show the installed providers, and what is wrong with them.",
    "show": "Show one provider: settings and where they come from, options, models.",
    "models": "Show the models of a service.",
    "status": "Show which services are configured, and what answered last.",
    "new": "Write a small project for a provider of your own.",
    "check": "Run the contract tests on a provider.",
    "doctor": "Show what is wrong with each plugin, and how to fix it.",
    "completion": "Print the script that completes commands in a shell.",
    "config": "Show the configuration, and check it.",
    "keys": "Store keys of services, list and remove them.",
}
"""Command → its line; a test compares it with the commands themselves."""

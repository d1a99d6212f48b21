"""The user's configuration file and keys: read, checked and stored here; what a provider makes of them is not known."""

"""Many prompts: a window of them, one budget a service, a journal of what is finished."""

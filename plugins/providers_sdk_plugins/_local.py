"""Servers on the user's own machine that speak OpenAI's dialect, one row each, as in ``_hosted.py``."""

from collections.abc import Mapping

from providers_sdk_plugins._rows import Row

__all__ = ["LOCAL"]

LOCAL: Mapping[str, Row] = {
    "lmstudio": Row(
        title="LM Studio",
        url="http://localhost:1234/v1",
        local=True,
        key_variables=("LM_API_TOKEN",),
        first_token=300.0,
        documentation="https://lmstudio.ai/docs/developer/openai-compat",
        source="lmstudio.ai, OpenAI compatibility and authentication",
    ),
    "llamacpp": Row(
        title="llama.cpp server",
        url="http://127.0.0.1:8080/v1",
        local=True,
        first_token=300.0,
        documentation="https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
        source="any-llm (providers/llamacpp); rig (providers/llamafile)",
    ),
    "vllm": Row(
        title="vLLM",
        url="http://localhost:8000/v1",
        local=True,
        key_variables=("VLLM_API_KEY",),
        documentation="https://docs.vllm.ai/en/latest/serving/openai_compatible_server/",
        source="any-llm (providers/vllm)",
    ),
}
"""Name of the provider → its row."""

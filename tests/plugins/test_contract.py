"""Every bundled provider keeps the contract; what it says is not said again in their own files.

The services of OpenAI's dialect are in ``test_services_contract.py``.
"""

from providers_sdk.testing import ProviderContract
from providers_sdk_plugins.aipower import AnyAIPower
from providers_sdk_plugins.anthropic import Anthropic
from providers_sdk_plugins.chatgptfree import ChatgptFree
from providers_sdk_plugins.chatgptt import ChatGptt
from providers_sdk_plugins.echo import Echo
from providers_sdk_plugins.fakes.aipower import AIPowerSite
from providers_sdk_plugins.fakes.anthropic import AnthropicSite
from providers_sdk_plugins.fakes.gizai import GizAISite
from providers_sdk_plugins.fakes.ollama import OllamaSite
from providers_sdk_plugins.fakes.pizzagpt import PizzagptSite
from providers_sdk_plugins.gizai import GizAI
from providers_sdk_plugins.ollama import Ollama
from providers_sdk_plugins.pizzagpt import Pizzagpt


class TestPizzagpt(ProviderContract):
    provider = Pizzagpt
    fake_service = PizzagptSite


class TestGizAI(ProviderContract):
    provider = GizAI
    fake_service = GizAISite


class TestChatGptt(ProviderContract):
    provider = ChatGptt
    fake_service = AIPowerSite


class TestChatgptFree(ProviderContract):
    provider = ChatgptFree
    fake_service = AIPowerSite


class TestAIPower(ProviderContract):
    provider = AnyAIPower
    fake_service = AIPowerSite


class TestAnthropic(ProviderContract):
    provider = Anthropic
    fake_service = AnthropicSite


class TestOllama(ProviderContract):
    provider = Ollama
    fake_service = OllamaSite


class TestEcho(ProviderContract):
    provider = Echo

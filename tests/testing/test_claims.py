"""Each claim of the contract has a provider that breaks it."""

from collections.abc import Iterator

import pytest

from providers_sdk.plugin import Provider
from providers_sdk.testing import FakeService
from providers_sdk.testing.contract import CLAIMS, ContractRunner, Harness
from providers_sdk_plugins.fakes.openai import OpenAISite
from tests.testing import broken_answers as answers
from tests.testing import broken_failures as failures
from tests.testing import broken_requests as requests
from tests.testing.broken_answers import FOR_EVER, LEAKED, close

_ELSEWHERE = {"touches_no_network_at_import", "imports_quickly"}
"""Claims about a module, which test_contract.py breaks."""
BROKEN: dict[str, tuple[type[Provider], ...]] = {
    "describes_itself": (answers.FlagIsANumber,),
    "knows_its_models": (answers.HasNoSuchModel,),
    "connects_only_to_its_service": (answers.AsksElsewhere, answers.AsksElsewhereInAThread),
    "terminates": (answers.BlocksForEver,),
    "is_an_iterator": (answers.ReturnsAList, answers.ReturnsNone),
    "does_not_raise": (answers.RaisesStopIteration, answers.EndsTheProgram),
    "yields_chunks": (answers.YieldsBytes,),
    "finishes": (answers.NeverFinishes,),
    "finishes_once": (answers.FinishesTwice,),
    "stops_after_the_finish": (answers.YieldsAfterTheFinish,),
    "answers": (answers.Shouts,),
    "answers_whole": (answers.CutsTheWholeAnswer,),
    "keeps_characters_whole": (answers.DecodesEachRead,),
    "delivers_at_once": (answers.BuffersTheStream, answers.AsksForNoStream),
    "closes_when_closed": (answers.LeaksTheResponse,),
    "closes_when_dropped": (answers.LeaksTheResponse, answers.LeaksWhenItIsFinished),
    "uses_the_url_setting": (requests.AsksTheFirstSite,),
    "uses_the_proxy": (requests.IgnoresTheProxy,),
    "uses_its_settings": (requests.IgnoresASetting,),
    "refuses_unknown_options": (requests.KnowsEveryOption,),
    "honours_its_options": (requests.SwallowsAnOption, requests.IgnoresAValue),
    "sends_what_it_says_it_takes": (requests.DropsTheSystemMessage,),
    "keeps_the_order_of_turns": (requests.SwapsTurns,),
    "sends_what_it_supports": (requests.DropsImages, requests.DropsTools),
    "does_not_pose_as_a_browser": (requests.PosesAsABrowser,),
    "keeps_secrets": (
        requests.LogsTheKey,
        requests.PutsTheKeyIntoTheAddress,
        requests.SendsTheKeyInTheBody,
        requests.SendsTheKeyInAnotherHeader,
    ),
    "prints_nothing": (requests.Prints,),
    "keeps_nothing_between_calls": (requests.KeepsState, requests.CountsItsCalls),
    "does_not_mutate_arguments": (requests.WritesToTheSessionItWasLent,),
    "serves_threads": (requests.MixesThreadsUp,),
    "reports_a_truncated_stream": (failures.InventsAFinish,),
    "reports_a_lost_connection": (failures.EndsALostConnectionWell,),
    "keeps_first_token": (failures.NamesNoFirstToken,),
    "keeps_idle": (failures.NamesNoIdleness,),
    "keeps_the_deadline": (failures.NamesNoDeadline,),
    "ends_its_polling": (failures.PollsWithItsOwnClock, failures.PollsForThreeTimes, failures.PollsInAHurry),
    "reports_a_refused_key": (failures.NamesNoRefusedKey,),
    "reports_a_rate_limit": (failures.LosesRetryAfter,),
    "reports_a_failed_service": (failures.AnswersForAFailedService,),
    "reports_a_bot_wall": (failures.NamesNoBotWall,),
    "rejects_an_html_page": (failures.TakesAPageForText,),
    "rejects_an_empty_response": (failures.AnswersForAnEmptyResponse,),
    "rejects_broken_json": (failures.CrashesAtAList, failures.PassesOverABrokenEvent),
    "survives_every_response": (failures.CrashesAtATokenThatIsAList,),
    "bounds_memory": (failures.AnswersForTooMuch,),
    "errors_survive_pickle": (failures.AddsALockToAnError,),
}
ROWS = [(claim, kind) for claim, kinds in BROKEN.items() for kind in kinds]
FAKES: dict[type[Provider], type[FakeService]] = {
    requests.AsksTheFirstSite: requests.RunningSite,
    failures.PollsWithItsOwnClock: failures.JobSite,
    failures.PollsForThreeTimes: failures.JobSite,
    failures.PollsInAHurry: failures.JobSite,
    failures.CrashesAtATokenThatIsAList: failures.JobSite,
}


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    FOR_EVER.clear()
    yield
    FOR_EVER.set()
    for http, answer in LEAKED:  # what was leaked on purpose must not warn in a later test, when garbage is collected
        answer.close()  # type: ignore[attr-defined]
        close(http)
    LEAKED.clear()


def test_every_claim_has_a_provider_that_breaks_it() -> None:
    assert BROKEN.keys() | _ELSEWHERE == CLAIMS.keys()


@pytest.mark.parametrize(("claim", "kind"), ROWS, ids=lambda value: getattr(value, "__name__", value))
def test_a_broken_provider_fails_the_claim_that_it_breaks_and_none_that_it_needs(
    claim: str, kind: type[Provider]
) -> None:
    runner = ContractRunner(Harness(kind, FAKES.get(kind, OpenAISite), patience=3.0))
    result = runner.run(CLAIMS[claim])
    assert result.state == "fails", result
    assert result.detail.startswith("expected ")
    assert [other.claim.name for other in runner.results.values() if other.state == "fails"] == [claim]

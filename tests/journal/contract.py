"""What every journal store must do. Another store runs it all with a line in `STORES` of test_contract.py."""

from __future__ import annotations

import datetime
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from runcomfy_client.errors import BudgetExceededError, JournalError
from runcomfy_client.journal import Budget
from runcomfy_client.journal.base import MissingJournalError

from tests.support.internals import Intent, Scope
from tests.support.journal import SCOPE, Sender, intent

if TYPE_CHECKING:
    from collections.abc import Callable

    from runcomfy_client.journal.base import JournalStore

OTHER = Scope("another account", SCOPE.base_url)
ELSEWHERE = Scope(SCOPE.account, "https://elsewhere.example")


class StoreContract:
    """Subclasses have a fixture ``open_store``: each call opens the same journal again, as another process would."""

    @pytest.fixture
    def store(self, open_store: Callable[[], JournalStore]) -> JournalStore:
        return open_store()

    @pytest.fixture
    def sender(self, store: JournalStore) -> Sender:
        return Sender(store)

    # From the intent to the end.

    def test_an_intent_is_seen_at_once_by_others(self, sender: Sender, open_store: Callable[[], JournalStore]) -> None:
        wanted = Intent("s-1", SCOPE, "any/model", "k", "digest", '{"prompt": "x"}')
        assert sender.intend(wanted) is None
        (entry,) = open_store().pending(SCOPE)
        assert (entry.submission_id, entry.state, entry.model_id) == ("s-1", "sending", "any/model")
        assert (entry.job_key, entry.input_digest, entry.input) == ("k", "digest", {"prompt": "x"})
        assert (entry.account, entry.base_url) == SCOPE
        assert entry.owner == sender.owner
        assert entry.lease_until is not None
        left = entry.lease_until - datetime.datetime.now(datetime.UTC)
        assert 0 < left.total_seconds() <= 16

    def test_a_job_is_submitted_and_ends(self, sender: Sender, store: JournalStore) -> None:
        sender.submit(intent("k"), "job-1")
        (entry,) = store.pending(SCOPE)
        assert (entry.state, entry.request_id, entry.owner, entry.lease_until) == ("submitted", "job-1", None, None)
        store.ended(SCOPE, "job-1", "completed", cost=None, files=["https://a", "https://b"], note=None)
        assert store.pending(SCOPE) == []
        store.ended(SCOPE, "job-1", "completed", cost=0.25, files=["https://a"], note=None)
        found = store.find(SCOPE, "job-1")
        assert found is not None
        assert (found.state, found.cost, found.files) == ("completed", 0.25, ("https://a",))
        assert found.ended_at is not None

    def test_the_ends_of_a_submit(self, sender: Sender, store: JournalStore) -> None:
        refused, unsure = intent(), intent()
        for wanted in (refused, unsure):
            sender.intend(wanted)
        store.refused(refused.submission_id, sender.owner, "HTTP 422")
        store.unsure(unsure.submission_id, sender.owner, "HTTP 502")
        assert [(entry.state, entry.note) for entry in store.entries(SCOPE)] == [
            ("refused", "HTTP 422"),
            ("unsure", "HTTP 502"),
        ]

    def test_the_same_intent_twice_is_one(self, sender: Sender, store: JournalStore) -> None:
        """The reply to the first commit may have been lost."""
        wanted = intent("k")
        assert sender.intend(wanted) is None
        assert sender.intend(wanted) is None
        assert len(list(store.entries(SCOPE))) == 1

    def test_a_submit_that_is_not_there_is_an_error(self, sender: Sender, store: JournalStore) -> None:
        sender.intend(intent())
        with pytest.raises(JournalError):
            store.submitted("nobody", "job-1")
        with pytest.raises(JournalError, match="not in the journal"):
            store.release("nobody")

    # Keys.

    def test_a_key_belongs_to_one_job(self, sender: Sender, store: JournalStore) -> None:
        first = intent("k")
        sender.intend(first)
        taken = sender.intend(intent("k"))
        assert taken is not None
        assert (taken.submission_id, taken.state) == (first.submission_id, "sending")
        store.submitted(first.submission_id, "job-1")
        taken = sender.intend(intent("k"))
        assert taken is not None
        assert taken.request_id == "job-1"
        store.ended(SCOPE, "job-1", "failed", cost=None, files=[], note="boom")
        assert sender.intend(intent("k")) is not None

    @pytest.mark.parametrize("end", ["refused", "cancelled", "released"])
    def test_what_frees_a_key(self, sender: Sender, store: JournalStore, end: str) -> None:
        first = intent("k")
        sender.intend(first)
        if end == "refused":
            store.refused(first.submission_id, sender.owner, "no")
        else:
            store.submitted(first.submission_id, "job-1")
        if end == "cancelled":
            store.ended(SCOPE, "job-1", "cancelled", cost=None, files=[], note=None)
        if end == "released":
            assert store.release(first.submission_id).state == "released"
            store.ended(SCOPE, "job-1", "completed", cost=1.0, files=[], note=None)
            found = store.find(SCOPE, "job-1")
            assert found is not None
            assert (found.state, found.cost) == ("released", 1.0)
        assert sender.intend(intent("k")) is None

    def test_a_key_is_taken_over_all_accounts_of_an_address(self, sender: Sender, store: JournalStore) -> None:
        sender.submit(intent("k"), "job-1")
        taken = sender.intend(intent("k", scope=OTHER))
        assert taken is not None
        assert taken.account == SCOPE.account
        assert sender.intend(intent("k", scope=ELSEWHERE)) is None

    def test_many_at_once_under_one_key(self, open_store: Callable[[], JournalStore]) -> None:
        stores, barrier = [open_store() for _ in range(6)], threading.Barrier(6)

        def try_it(store: JournalStore) -> bool:
            barrier.wait()
            return Sender(store).intend(intent("k")) is None

        with ThreadPoolExecutor(6) as pool:
            assert sorted(pool.map(try_it, stores)) == [False] * 5 + [True]

    def test_a_job_whose_key_was_used_again_is_kept_without_it(self, store: JournalStore) -> None:
        slow, quick = Sender(store, seconds=0.05), Sender(store)
        first = intent("k")
        slow.intend(first)
        time.sleep(0.1)
        store.release(first.submission_id)
        quick.submit(intent("k"), "job-2")
        store.submitted(first.submission_id, "job-1")
        assert [(entry.request_id, entry.job_key) for entry in store.entries(SCOPE)] == [
            ("job-1", None),
            ("job-2", "k"),
        ]

    def test_a_job_that_completes_although_it_was_cancelled_leaves_its_key_to_the_next(
        self, sender: Sender, store: JournalStore
    ) -> None:
        sender.submit(intent("k"), "job-1")
        store.ended(SCOPE, "job-1", "cancelled", cost=None, files=[], note=None)
        sender.submit(intent("k"), "job-2")
        store.ended(SCOPE, "job-1", "completed", cost=1.0, files=[], note=None)
        assert [(entry.request_id, entry.job_key, entry.state, entry.cost) for entry in store.entries(SCOPE)] == [
            ("job-1", None, "completed", 1.0),
            ("job-2", "k", "submitted", None),
        ]

    def test_two_jobs_of_one_submit_are_both_kept(self, store: JournalStore) -> None:
        """It was settled by hand as one job, and then its own reply named another."""
        sender, wanted = Sender(store, seconds=0.05), intent("k")
        sender.intend(wanted)
        time.sleep(0.1)
        store.settle(wanted.submission_id, "job-1", "")
        store.submitted(wanted.submission_id, "job-2")
        assert [entry.request_id for entry in store.pending(SCOPE)] == ["job-1", "job-2"]

    # Budgets.

    def test_a_budget_holds_costs_and_estimates(self, sender: Sender, store: JournalStore) -> None:
        def budgeted(estimate: float | None) -> Intent:
            return intent(budget=Budget(max_cost=1.0, estimate=estimate))

        sender.submit(budgeted(0.6), "job-1")
        assert store.spending(SCOPE.base_url, 3600) == (1, 0, 600_000)
        with pytest.raises(BudgetExceededError, match=r"estimated at 0\.5 USD.*budget of 1 USD in 24 hours") as refusal:
            sender.intend(budgeted(0.5))
        error = refusal.value
        assert (error.jobs, error.spent, error.reserved, error.estimate) == (1, 0.0, 0.6, 0.5)
        with pytest.raises(BudgetExceededError, match="No price of any/model is known"):
            sender.intend(budgeted(None))
        store.ended(SCOPE, "job-1", "completed", cost=0.5, files=[], note=None)
        sender.submit(budgeted(0.5), "job-2")
        assert store.spending(SCOPE.base_url, 3600) == (2, 500_000, 500_000)
        assert len(list(store.entries(SCOPE))) == 2

    def test_a_budget_counts_what_may_be_paid(self, sender: Sender, store: JournalStore) -> None:
        """Also what is unsure, failed or given up, and what another account submitted; not what was refused."""
        refused, unsure = intent(), intent()
        for wanted in (refused, unsure):
            sender.intend(wanted)
        store.refused(refused.submission_id, sender.owner, "HTTP 422")
        store.unsure(unsure.submission_id, sender.owner, "HTTP 502")
        sender.submit(intent(scope=OTHER), "job-1")
        sender.submit(intent(scope=ELSEWHERE), "job-2")
        assert store.spending(SCOPE.base_url, 3600).jobs == 2
        with pytest.raises(BudgetExceededError, match="budget of 2 jobs in 24 hours is used up"):
            sender.intend(intent(budget=Budget(max_jobs=2)))
        assert sender.intend(intent(budget=Budget(max_jobs=3))) is None

    def test_a_budget_looks_back_so_many_hours(self, sender: Sender, store: JournalStore) -> None:
        sender.submit(intent(), "job-1")
        time.sleep(0.05)
        assert store.spending(SCOPE.base_url, 0.01).jobs == 0
        assert sender.intend(intent(budget=Budget(max_jobs=1, hours=1e-6))) is None

    def test_the_same_intent_twice_is_reserved_once(self, sender: Sender, store: JournalStore) -> None:
        wanted = intent(budget=Budget(max_cost=1.0, max_jobs=1, estimate=1.0))
        for _ in range(2):
            assert sender.intend(wanted) is None
        assert store.spending(SCOPE.base_url, 3600) == (1, 0, 1_000_000)

    def test_a_key_that_has_its_job_needs_no_budget(self, sender: Sender) -> None:
        sender.submit(intent("k"), "job-1")
        assert sender.intend(intent("k", budget=Budget(max_jobs=1))) is not None

    def test_many_at_once_share_one_budget(self, open_store: Callable[[], JournalStore]) -> None:
        stores, barrier = [open_store() for _ in range(5)], threading.Barrier(5)

        def try_it(store: JournalStore) -> bool:
            barrier.wait()
            try:
                return Sender(store).intend(intent(budget=Budget(max_cost=0.1, estimate=0.05))) is None
            except BudgetExceededError:
                return False

        with ThreadPoolExecutor(5) as pool:
            assert sum(pool.map(try_it, stores)) == 2

    # Leases.

    def test_nobody_else_changes_an_entry_under_a_lease(self, sender: Sender, store: JournalStore) -> None:
        wanted = intent("k")
        sender.intend(wanted)
        for request_id in (None, "job-1"):
            with pytest.raises(JournalError, match=r"being sent now.*lease ends at"):
                store.settle(wanted.submission_id, request_id, "not started")
        with pytest.raises(JournalError, match=r"being sent now.*lease ends at"):
            store.release(wanted.submission_id)
        store.refused(wanted.submission_id, "another owner", "")
        store.unsure(wanted.submission_id, "another owner", "")
        assert [entry.state for entry in store.pending(SCOPE)] == ["sending"]

    def test_a_job_settles_one_submit(self, store: JournalStore) -> None:
        first, second = intent("a"), intent("b")
        for wanted in (first, second):
            Sender(store, seconds=0.05).intend(wanted)
        time.sleep(0.1)
        store.settle(first.submission_id, "job-1", "")
        with pytest.raises(JournalError, match="job-1 is the job of 'a'; 'b' stays unsure"):
            store.settle(second.submission_id, "job-1", "")
        store.release(first.submission_id)  # it was a slip
        assert store.settle(second.submission_id, "job-1", "").request_id == "job-1"

    def test_a_lease_ends_unless_it_is_renewed(self, store: JournalStore) -> None:
        sender, wanted = Sender(store, seconds=0.4), intent("k")
        sender.intend(wanted)
        for _ in range(3):
            time.sleep(0.2)
            assert store.renew(sender.owner, [wanted.submission_id], 0.4) == {wanted.submission_id}
            assert [entry.state for entry in store.pending(SCOPE)] == ["sending"]
        time.sleep(0.5)
        (entry,) = store.pending(SCOPE)
        assert (entry.state, entry.lease_until) == ("unsure", None)
        assert store.settle(wanted.submission_id, None, "not started").state == "refused"
        assert store.renew(sender.owner, [wanted.submission_id], 0.4) == frozenset()
        assert sender.intend(intent("k")) is None

    def test_a_lease_is_its_owners(self, sender: Sender, store: JournalStore) -> None:
        wanted = intent()
        sender.intend(wanted)
        assert store.renew("another owner", [wanted.submission_id, "nobody"], 15) == frozenset()
        store.submitted(wanted.submission_id, "job-1")
        assert store.renew(sender.owner, [wanted.submission_id], 15) == frozenset()

    def test_only_what_is_unsure_is_settled(self, sender: Sender, store: JournalStore) -> None:
        wanted = intent()
        sender.submit(wanted, "job-1")
        with pytest.raises(JournalError, match="is submitted, not unsure"):
            store.settle(wanted.submission_id, None, "")

    # Reading.

    def test_each_scope_sees_its_own(self, sender: Sender, store: JournalStore) -> None:
        for number, scope in enumerate((SCOPE, OTHER, ELSEWHERE)):
            sender.submit(intent(scope=scope), f"job-{number}")
        assert [entry.request_id for entry in store.pending(OTHER)] == ["job-1"]
        assert [entry.request_id for entry in store.entries(ELSEWHERE)] == ["job-2"]
        assert store.find(SCOPE, "job-1") is None
        assert [entry.request_id for entry in store.entries(None)] == ["job-0", "job-1", "job-2"]
        store.ended(SCOPE, "job-1", "completed", cost=None, files=[], note=None)
        assert len(store.pending(None)) == 3

    def test_an_entry_is_found_by_each_of_its_names(self, sender: Sender, store: JournalStore) -> None:
        old, new = intent("k"), intent("k")
        sender.submit(old, "job-1")
        store.release(old.submission_id)
        sender.submit(new, "job-2")
        for name, request_id in (("job-1", "job-1"), (old.submission_id, "job-1"), ("k", "job-2"), ("none", None)):
            found = store.find(SCOPE, name)
            assert (found.request_id if found else None) == request_id

    def test_entries_are_read_while_others_write(
        self, sender: Sender, store: JournalStore, open_store: Callable[[], JournalStore]
    ) -> None:
        """A reader that takes its time keeps nobody from writing down the id of a paid job."""
        for number in range(3):
            sender.submit(intent(), f"job-{number}")
        reader = open_store().entries(SCOPE)
        assert next(reader).request_id == "job-0"
        begun = time.monotonic()
        sender.submit(intent(), "job-3")
        assert time.monotonic() - begun < 5
        assert [entry.request_id for entry in reader][:2] == ["job-1", "job-2"]

    def test_the_entries_of_an_old_token_are_taken_over(self, sender: Sender, store: JournalStore) -> None:
        sender.submit(intent("a"), "job-1")
        sender.submit(intent("b", scope=OTHER), "job-2")
        assert store.adopt(OTHER, SCOPE.account) == 1
        assert [entry.request_id for entry in store.pending(OTHER)] == ["job-1", "job-2"]
        assert store.pending(SCOPE) == []

    def test_a_job_that_could_not_be_written_is_taken_in(
        self, sender: Sender, store: JournalStore, open_store: Callable[[], JournalStore]
    ) -> None:
        wanted = intent("k")
        sender.intend(wanted)
        kept = store.spill(wanted, "job-1")
        assert "job-1" in kept.read_text()
        (entry,) = open_store().pending(SCOPE)
        assert (entry.state, entry.request_id, entry.job_key) == ("submitted", "job-1", "k")
        assert not kept.exists()

    def test_it_opens_again_after_close(self, sender: Sender, store: JournalStore) -> None:
        sender.submit(intent(), "job-1")
        store.close()
        assert [entry.request_id for entry in store.pending(SCOPE)] == ["job-1"]

    def test_readers_make_nothing(self, store: JournalStore) -> None:
        for read in (
            lambda: store.pending(None),
            lambda: list(store.entries(None)),
            lambda: store.find(None, "k"),
            lambda: store.settle("k", None, ""),
            lambda: store.release("k"),
            lambda: store.submitted("k", "job-1"),
            lambda: store.ended(SCOPE, "job-1", "completed", cost=None, files=[], note=None),
        ):
            with pytest.raises(MissingJournalError):
                read()

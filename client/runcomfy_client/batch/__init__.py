"""Batches: thousands of jobs from a file or an iterable, checked first, sent with care, and safe to start again.

rows      what a line of the file says
plan      every row checked and written down, before anything is sent
prices    what a job will cost, as far as that is known
store     the journal of a batch: submits and items, changed together; folder_store: in one SQLite file
engine    sends, polls and fetches; one for both clients
results   results.jsonl, derived from the store
batch     `Batch` and `AsyncBatch`, which users hold
"""

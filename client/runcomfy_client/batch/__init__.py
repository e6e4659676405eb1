"""Batches: thousands of jobs from a file or an iterable, checked first, sent with care, and safe to start again.

rows      what a line of the file says
plan      every row checked and written down, before anything is sent
items     the states of an item, and what is passed about items
store     the journal of a batch: submits and items, changed together; folder_store: in one SQLite file
engine    sends; flight: the jobs in flight, polled and fetched. One for both clients
results   results.jsonl, derived from the store
batch     `Batch` and `AsyncBatch`, which users hold
"""

"""A batch over many machines: its items, budget and rate are rows in PostgreSQL, and every machine runs a worker.

store     the batch in a schema of a database: the rules of the embedded store, and what many machines share
queue     procrastinate, which hands out the items; nothing else of this package knows it
engine    the embedded engine, fed by the queue; heartbeat, and taking up what dead workers leave behind
view      the batch looked at and changed from anywhere: status, failures, settle, export

The queue's rows hold item numbers and nothing else, and it is never trusted with money: an item that is delivered
twice, late or to a worker that was thought dead is sent only if the gate in the store lets it through.
"""

"""The rules of the Model API as generators: what to send, how to read the reply, when to go on. No I/O in here."""

from __future__ import annotations

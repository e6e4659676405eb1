"""The studio: a page on this computer in which the models of a generated package are looked at, filled in and run.

`runcomfy-client studio` starts it. It uses the public surface of the client: the check, the jobs, the journal, the
store of results. Nothing is checked in the browser.
"""

from __future__ import annotations

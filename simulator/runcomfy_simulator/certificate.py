"""A certificate that lives as long as the simulator, for tools that require https."""

from __future__ import annotations

import atexit
import shutil
import ssl
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")


class Certificate:
    """A certificate for loopback names and `hosts`, signed by a certificate authority of its own.

    Args:
        ca_file: where the authority's certificate is written, for clients to trust; by default a temporary file,
            deleted when the process ends.
    """

    def __init__(self, hosts: Iterable[str], ca_file: Path | None = None) -> None:
        authority = trustme.CA(organization_name="RunComfy simulator")
        names = dict.fromkeys([*_LOOPBACK_NAMES, *hosts])
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*names).configure_cert(self.context)
        if ca_file is None:
            folder = tempfile.mkdtemp(prefix="runcomfy-sim-")
            atexit.register(shutil.rmtree, folder, ignore_errors=True)
            ca_file = Path(folder) / "ca.pem"
        self.ca_file = ca_file.absolute()
        authority.cert_pem.write_to_path(str(self.ca_file))

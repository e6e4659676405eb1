"""What every run of the tests needs, however it was started."""

from __future__ import annotations

import signal

# Whoever starts the tests in the background of a script starts them with Ctrl-C ignored, and so would be every process
# that a test starts to press Ctrl-C on.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

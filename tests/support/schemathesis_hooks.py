"""What schemathesis cannot know of the media formats: any text is a string, but not any text is a URL of a medium."""

from __future__ import annotations

import schemathesis
from hypothesis import strategies as st

for kind, ending in (("image", "png"), ("video", "mp4"), ("audio", "wav")):
    schemathesis.openapi.format(
        f"{kind}_uri", st.sampled_from([f"https://example.org/{name}.{ending}" for name in "ab"])
    )

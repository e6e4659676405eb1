"""The hand-written half of every generated client: whatever is the same for all models.

Generated packages import it; applications import the generated package, which offers the public names again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .schema import media_field

if TYPE_CHECKING:
    from .schema import Finding, Media


def _check_local(field: Media, value: object) -> list[Finding]:
    from .media.check import check_media  # the readers of media files load when there is a file to read

    return check_media(field, value)


# The schema nodes lie in the lowest layer and read no files; here they get what does.
media_field.check_local = _check_local

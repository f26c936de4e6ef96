"""A figure with its words, as the files that people keep of it."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from io import BytesIO

import matplotlib as mpl
from matplotlib.figure import Figure


@dataclass(frozen=True)
class Plot:
    """A figure of one spec's runs, or of one of them."""

    kind: str
    spec: str
    title: str
    caption: str
    figure: Figure

    def svg(self, background: str = "white") -> str:
        """The figure as an SVG document whose text is text; the same for the same runs."""
        return self._saved("svg", background).decode()

    def png(self) -> bytes:
        """The figure as a PNG file on white."""
        return self._saved("png", "white")

    def _saved(self, file_format: str, background: str) -> bytes:
        # Otherwise files of the same runs differ in their date and in random names.
        nothing = dict.fromkeys(("Date", "Creator", "Format", "Type")) if file_format == "svg" else {}
        file = BytesIO()
        with mpl.rc_context({"svg.hashsalt": f"{self.kind} {self.spec}", "svg.fonttype": "none"}):
            self.figure.savefig(file, format=file_format, dpi=160, facecolor=background, metadata=nothing)
        return file.getvalue()


def drawn_plainly() -> AbstractContextManager[None]:
    """How every figure is drawn: text of one size, and a $ in a name is no formula."""
    return mpl.rc_context({"text.parse_math": False, "font.size": 9})

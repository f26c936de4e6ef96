"""Text as YAML reads it back to the same text."""

import json
import re

_PLAIN = re.compile(r"[A-Za-z_./][\w./ +-]*(?<! )|0|[1-9]\d*")
_MEANT_OTHERWISE = {"true", "false", "null"}


def scalar(text: str) -> str:
    """A net, path or other text, in quotes where YAML would take it for something else; whole numbers stay bare."""
    plain = _PLAIN.fullmatch(text) and text.lower() not in _MEANT_OTHERWISE
    return text if plain else json.dumps(text, ensure_ascii=False)

"""One netlist line -> one device: which words are nets, which the model, which parameters."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sizing.spice.netlist import Line, NetlistError, split_assignments, split_words


@dataclass(frozen=True)
class Device:
    """One device of a flattened circuit; all text in lower case, except what stands in double quotes.

    `name` is the path of calls and the name in the netlist (`x1.x2.mp1`), `kind` the SPICE letter. `nets[i]` is the net
    at `terminals[i]`. `parameters` holds expression text by name, without the braces or quotes around it.
    """

    name: str
    kind: str
    terminals: tuple[str, ...]
    nets: tuple[str, ...]
    model: str | None
    parameters: Mapping[str, str]

    def names_device(self, parameter: str) -> bool:
        """Whether this parameter's value is another device's name rather than an expression."""
        return parameter in _OTHER_DEVICES and self.kind in _KINDS and parameter in _KINDS[self.kind].words

    @property
    def behaves(self) -> bool:
        """Whether it is a source with an expression of voltages and currents."""
        return self.kind == "b" or (self.kind in "eg" and not _BEHAVIOUR.isdisjoint(self.parameters))


@dataclass(frozen=True)
class _Kind:
    """What follows a device's name: its nets, of which the last `optional` may be absent, then these words in order."""

    terminals: tuple[str, ...]
    words: tuple[str, ...] = ()
    optional: int = 0


_KINDS: Mapping[str, _Kind] = {
    "b": _Kind(("p", "n")),
    "c": _Kind(("p", "n")),
    "d": _Kind(("p", "n"), ("model", "area")),
    "e": _Kind(("p", "n", "cp", "cn"), ("gain",), optional=2),
    "f": _Kind(("p", "n"), ("source", "gain")),
    "g": _Kind(("p", "n", "cp", "cn"), ("gain",), optional=2),
    "h": _Kind(("p", "n"), ("source", "gain")),
    "i": _Kind(("p", "n")),
    "j": _Kind(("d", "g", "s"), ("model", "area")),
    "k": _Kind((), ("l1", "l2", "k")),
    "l": _Kind(("p", "n")),
    "m": _Kind(("d", "g", "s", "b"), ("model",)),
    "o": _Kind(("p1", "n1", "p2", "n2"), ("model",)),
    "q": _Kind(("c", "b", "e", "s"), ("model", "area"), optional=1),
    "r": _Kind(("p", "n")),
    "s": _Kind(("p", "n", "cp", "cn"), ("model",)),
    "t": _Kind(("p1", "n1", "p2", "n2")),
    "u": _Kind(("1", "2", "common"), ("model",)),
    "v": _Kind(("p", "n")),
    "w": _Kind(("p", "n"), ("source", "model")),
    "z": _Kind(("d", "g", "s"), ("model", "area")),
}
_OTHER_DEVICES = frozenset({"source", "l1", "l2"})
_BEHAVIOUR = frozenset({"vol", "cur", "value"})
_BEHAVIOUR_NOT_READ = frozenset({"poly", "table", "laplace", "freq"})
_RANDOM_WAVEFORMS = frozenset({"trnoise", "trrandom"})
_WAVEFORMS = _RANDOM_WAVEFORMS | frozenset({"pulse", "sin", "exp", "pwl", "sffm", "am", "external"})
_SOURCE_WORDS = frozenset({"dc", "ac", "distof1", "distof2", "portnum", "z0"}) | _WAVEFORMS
_NAME = re.compile(r"[^\s={}()'\",]+")
_BRACKET = re.compile(r"[{}()'\"]")


def read_device(line: Line, models: Collection[str]) -> Device:
    """The device of a line; `models` (lower case) tell how many nets a bipolar transistor has.

    Raises NetlistError with file and line.
    """
    words = split_words(line)
    name, letter = words[0], words[0][0]
    if letter == "x":
        return _call(line, words)
    if letter not in _KINDS:
        raise line.error(f"expected a device ({' '.join(_KINDS)} x) or a dot command, got {name!r}; correct the line")
    checked_name(line, name, "device")
    words, assigned = split_assignments(line, words[1:], spaces=letter == "b")
    words = loosened(line, words)
    terminals = _terminals(line, letter, words, assigned, models)
    nets, words = words[: len(terminals)], words[len(terminals) :]
    if len(nets) < len(terminals):
        wanted = f"{len(terminals)} nets ({' '.join(terminals)})"
        raise line.error(f"expected {wanted} after {name!r}, got {len(nets)}; add the others")
    for net in nets:
        checked_name(line, net, "net")
    if letter in "rcl":
        parameters = _passive_words(line, letter, words, assigned)
    elif letter in "vi":
        parameters = _source_words(line, words)
    else:
        parameters = _listed_words(line, letter, words, assigned)
    model = parameters.pop("model", None)
    if model is not None:
        checked_name(line, model, "model")
    for other in _OTHER_DEVICES & parameters.keys():
        checked_name(line, parameters[other], "device")
    return Device(name, letter, terminals, tuple(nets), model, parameters | assigned)


def _call(line: Line, words: list[str]) -> Device:
    name = checked_name(line, words[0], "device")
    words, assigned = split_assignments(line, without_params(words)[1:])
    words = loosened(line, words)
    if not words:
        raise line.error(
            f"expected nets and a sub-circuit after {name!r}, got neither; write {name} net1 net2 subcircuit"
        )
    nets = tuple(checked_name(line, word, "net") for word in words[:-1])
    terminals = tuple(str(index) for index in range(1, len(nets) + 1))
    return Device(name, "x", terminals, nets, checked_name(line, words[-1], "sub-circuit"), assigned)


def _terminals(
    line: Line, letter: str, words: Sequence[str], assigned: Mapping[str, str], models: Collection[str]
) -> tuple[str, ...]:
    kind = _KINDS[letter]
    shorter = kind.terminals[: len(kind.terminals) - kind.optional]
    if letter == "q":
        fourth = len(words) > 4 and words[3] not in models and words[4] in models
        return kind.terminals if fourth else shorter
    if kind.optional and (unread := _BEHAVIOUR_NOT_READ.intersection(word.partition("(")[0] for word in words[2:3])):
        raise line.error(f"expected nets or an expression, got {min(unread)}; ngspice reads it, this parser does not")
    return shorter if kind.optional and _BEHAVIOUR & assigned.keys() else kind.terminals


def _passive_words(line: Line, letter: str, words: Sequence[str], assigned: Mapping[str, str]) -> dict[str, str]:
    """The words after the nets of a resistor, capacitor or inductor: a value, a model, or both."""
    found: dict[str, str] = {}
    for word in words:
        key = letter if word[0] in "+-.{'\"(" or word[0].isdigit() else "model"
        if key in found:
            raise _unexpected(line, word)
        found[key] = word
    if not found and not assigned:
        raise line.error(f"expected a value or a model after the nets, got neither; write {letter}=value")
    return found


def _source_words(line: Line, words: Sequence[str]) -> dict[str, str]:
    """The words after the nets of an independent source: its dc and ac values, and its waveform as `pulse(...)`."""
    groups: dict[str, list[str]] = {}
    keyword = "dc"
    for word in words:
        head, bracket, rest = word.partition("(")
        if head in _SOURCE_WORDS:
            keyword = head
            groups[keyword] = [rest.removesuffix(")").strip()] if bracket else []
        else:
            groups.setdefault(keyword, []).append(word)
    if random := _RANDOM_WAVEFORMS & groups.keys():
        raise line.error(
            f"expected a waveform that is the same in every simulation, got {min(random)}, which no seed repeats in "
            "ngspice; give its points as pwl(…), or ask for a `noise` analysis"
        )
    found: dict[str, str] = {}
    for keyword, group in groups.items():
        if keyword in _WAVEFORMS:
            found["waveform"] = f"{keyword}({' '.join(group)})"
        elif keyword == "dc" and len(group) != 1:
            raise line.error(f"expected one dc value, got {' '.join(group) or 'none'}; put {{}} around an expression")
        else:
            found[keyword] = " ".join(group) or "1"
    return found


def _listed_words(line: Line, letter: str, words: Sequence[str], assigned: Mapping[str, str]) -> dict[str, str]:
    behaviour = letter in "eg" and _BEHAVIOUR & assigned.keys()
    listed = [word for word in _KINDS[letter].words if not behaviour and word not in assigned]
    found: dict[str, str] = {}
    for word in words:
        if word in ("on", "off") and "model" not in listed[:1]:
            found[word] = "1"
        elif listed:
            found[listed.pop(0)] = word
        else:
            raise _unexpected(line, word)
    if missing := [word for word in listed if word != "area"]:
        raise line.error(f"expected a {missing[0]} after the nets, got none; add it")
    return found


def without_params(words: list[str]) -> list[str]:
    """The words without the optional `params:` before the assignments."""
    return [rest for word in words if (rest := word.removeprefix("params:"))]


def loosened(line: Line, words: Sequence[str]) -> list[str]:
    """Words with commas, and parentheses around several words, taken for spaces as ngspice does."""
    opened = [
        inner
        for word in words
        for inner in (split_words(line, word[1:-1]) if word[0] == "(" and word[-1] == ")" else (word,))
    ]
    return [part for word in opened for part in ((word,) if _BRACKET.search(word) else word.split(",")) if part]


def checked_name(line: Line, word: str, what: str) -> str:
    """The word, if it can be a name; raises NetlistError that calls it a `what`."""
    if not _NAME.fullmatch(word):
        raise line.error(f"expected the name of a {what}, got {word!r}; put the words of the line in order")
    return word


def _unexpected(line: Line, word: str) -> NetlistError:
    return line.error(f"expected name=value, got {word!r}; remove it, or put {{}} around an expression with spaces")

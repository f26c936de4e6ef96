"""Writes docs/settings.md, the run settings as a page: python docs/settings.py"""

from pathlib import Path

from sizing.search.settings_table import setting_entries

PAGE = Path(__file__).with_suffix(".md")
HEAD = """# Run settings

What `run` in a spec may hold, `sizing.run` takes by name, and `--methods fc:initial=20:judge.batch=64` sets for one
method of a comparison. A setting in a group, such as `judge.steps`, stands as `judge: {steps: 50}` in a spec.
Defaults are those of the published method; what a method does best with comes before them, and what is given comes
before both: `sizing settings --method gp` lists those of a method. A setting that the method does not heed is a
mistake. Made by `python docs/settings.py`.

| setting | default | may be | meaning | heeded by |
|---|---|---|---|---|
"""


def page() -> str:
    rows = [(f"`{e.name}`", e.default, e.allowed, e.meaning, e.heeded_by) for e in setting_entries()]
    return HEAD + "".join(f"| {' | '.join(row)} |\n" for row in rows)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")

"""The page of settings is what the code says."""

from docs.settings import PAGE, page


def test_the_page_of_settings_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python docs/settings.py"

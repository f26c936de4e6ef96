"""Which device a model computes on."""

import pytest

from sizing.errors import InputError
from surrogates.hardware import device_named


@pytest.mark.parametrize("name", ["gpu", "meta", "", "cpu:x"])
def test_devices_that_are_none_are_refused(name: str):
    with pytest.raises(InputError, match=f"device: expected one that works here .*, got '{name}': "):
        device_named(name)

"""The public names of firmware_ref are the ones listed in `__all__`."""

from __future__ import annotations

from types import ModuleType

import firmware_ref


def test_all_is_what_the_package_exports():
    public = {
        name
        for name, value in vars(firmware_ref).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert set(firmware_ref.__all__) == public
    assert len(firmware_ref.__all__) == len(set(firmware_ref.__all__))

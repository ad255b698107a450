"""Shim: all metadata lives in pyproject.toml. Only the released models need a step of their own."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = Path(__file__).parent


class BuildWithReleasedModels(build_py):
    """Puts tflite/<name>/ into a wheel as tfkd/released/<name>/, where tfkd/released.py looks."""

    def run(self):
        super().run()
        if self.editable_mode:  # the repository's own tflite/ is found then
            return
        for model in sorted(HERE.glob("tflite/*/model.tflite")):
            target = Path(self.build_lib, "tfkd", "released", model.parent.name)
            shutil.copytree(model.parent, target, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithReleasedModels})

"""Exit with one line of explanation when tfkd cannot be installed with this Python on this machine.

The Makefile runs it before it installs anything, with whatever Python it is given: keep it valid
on old ones.
"""

import os
import platform
import sys
import sysconfig

if not (3, 10) <= sys.version_info[:2] <= (3, 12):
    sys.exit(
        "tfkd needs Python 3.10, 3.11 or 3.12: TensorFlow 2.17 and tensorflow-io have no wheels "
        "for Python " + platform.python_version() + ". Choose another: make PYTHON=python3.11 ..."
    )

folders = os.environ.get("PATH", "").split(os.pathsep)
if not any(os.path.exists(os.path.join(folder, cc)) for folder in folders for cc in ("cc", "gcc")):
    sys.exit(
        "tfkd needs a C compiler to build the package pesq (Debian: apt-get install gcc libc6-dev)."
    )
if not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")):
    sys.exit(
        "tfkd needs Python's C headers to build the package pesq "
        "(Debian: apt-get install python3-dev)."
    )

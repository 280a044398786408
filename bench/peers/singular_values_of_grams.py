# SPDX-License-Identifier: MIT
"""Smallest and largest singular values from the Gram matrices that `cuda_weight_step bits FOLDER` writes."""

import pathlib
import sys

import numpy

for path in sorted(pathlib.Path(sys.argv[1]).glob("gram_*.f64")):
    gram = numpy.fromfile(path, dtype=numpy.float64).reshape(768, 768)
    values = numpy.sqrt(numpy.maximum(numpy.linalg.eigvalsh(gram), 0))
    print(f"  {path.stem}: singular values from {values[0]:.4f} to {values[-1]:.4f}")

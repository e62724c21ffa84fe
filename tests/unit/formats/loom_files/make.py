"""Write the file that loompy's own writer makes: python make.py; needs `pip install loompy`.

loompy is released as source only, which the lock files do not take.
"""

from pathlib import Path

import loompy
import numpy as np

if __name__ == "__main__":
    rng = np.random.default_rng(1)
    values = rng.poisson(1.0, (70, 130)).astype(np.float32)
    path = Path(__file__).with_name("loompy_3.0.8.loom")
    path.unlink(missing_ok=True)
    loompy.create(
        str(path),
        {"": values, "spliced": values // 2},
        {"Gene": np.array([f"Gene{number}" for number in range(70)])},
        {"CellID": np.array([f"c{number}" for number in range(130)])},
    )

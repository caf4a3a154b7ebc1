"""How many samples train and how many validate: the one place for this arithmetic."""

from __future__ import annotations

import math


def sizes(samples: int, validation: float) -> tuple[int, int]:
    """The sizes of the training and of the validation part; the latter is rounded up, as scikit-learn does.

    So any share above 0, however small, holds a sample back.

    >>> sizes(1797, 0.2)
    (1437, 360)
    """
    # 100 * 0.07 is 7.000000000000001: rounding that up would be a sample too many.
    val = max(math.ceil(samples * validation - 1e-9), int(validation > 0))
    return samples - val, val

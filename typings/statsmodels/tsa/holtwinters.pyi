from typing import Literal

import numpy as np
from numpy.typing import NDArray

class _Fitted:
    def forecast(self, steps: int) -> NDArray[np.float64]: ...

class ExponentialSmoothing:
    def __init__(
        self,
        endog: NDArray[np.float64],
        *,
        trend: Literal["add"],
        seasonal: Literal["add", "mul"],
        seasonal_periods: int,
        initialization_method: Literal["estimated"],
    ) -> None: ...
    def fit(self) -> _Fitted: ...
